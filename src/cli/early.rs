//! What is shown while silent clusters are still being waited for: nobody who has something to say
//! waits for those who have not.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::words::some_of;

/// The shortest pause after which those who have answered are shown. Where all clusters answer
/// promptly, nothing is shown before all have.
const SHORTEST: Duration = Duration::from_millis(100);

/// How long nothing has to have come for what came to be shown: what has taken long may pause for
/// longer.
fn quiet_moment(so_far: Duration) -> Duration {
    SHORTEST.max(so_far / 8)
}

/// What is heard while one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<News> {
    /// Something came.
    News(News),
    /// Something has come, and nothing more for a moment.
    Quiet,
}

/// When it was begun to listen, and when something came last.
#[derive(Debug)]
pub struct Listening {
    begun: Instant,
    last: Instant,
    /// Whether something came that a quiet moment has not followed yet.
    came: bool,
}

impl Listening {
    /// Begins to listen.
    pub fn begin() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            last: now,
            came: false,
        }
    }

    /// Waits for the next news, or for the quiet moment after some; `None` when there are no more.
    /// `next` has to be one that can be given up.
    pub async fn hear<News>(&mut self, next: impl Future<Output = Option<News>>) -> Option<Heard<News>> {
        let quiet = self.last + quiet_moment(self.last - self.begun);
        tokio::select! {
            biased;
            news = next => {
                self.last = Instant::now();
                self.came = true;
                news.map(Heard::News)
            }
            () = sleep_until(quiet), if self.came => {
                self.came = false;
                Some(Heard::Quiet)
            }
        }
    }
}

/// Who is waited for, in words.
pub fn waiting_for<'name>(names: impl Iterator<Item = &'name str>, at_most: Duration) -> String {
    // Rounded up: it is a promise.
    let seconds = at_most.as_millis().div_ceil(1000);
    format!("waiting for {}: at most {seconds} s more", some_of(names))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::sleep;

    use super::*;

    /// What is heard of news that come at these milliseconds; the clock is a pretended one.
    async fn heard(at: &'static [u64]) -> Vec<(u128, Heard<u64>)> {
        let (tell, mut news) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut now = 0;
            for moment in at {
                sleep(Duration::from_millis(moment - now)).await;
                now = *moment;
                tell.send(*moment).unwrap();
            }
        });
        let begun = Instant::now();
        let mut listening = Listening::begin();
        let mut heard = Vec::new();
        while let Some(what) = listening.hear(news.recv()).await {
            // The timer's own granularity is a millisecond.
            heard.push((begun.elapsed().as_millis() / 10 * 10, what));
        }
        heard
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_shown_early_where_all_answer_promptly() {
        let found = heard(&[40, 90, 180]).await;
        assert!(found.iter().all(|(_, what)| *what != Heard::Quiet), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_cluster_keeps_nobody_from_being_shown() {
        let found = heard(&[300, 310, 10_000]).await;
        assert_eq!(
            found,
            [
                (300, Heard::News(300)),
                (310, Heard::News(310)),
                (410, Heard::Quiet),
                (10_000, Heard::News(10_000)),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_is_given_longer_and_each_is_shown_once() {
        let found: Vec<_> = heard(&[4000, 4400, 9000, 20_000]).await;
        let quiet: Vec<u128> = found
            .iter()
            .filter(|(_, what)| *what == Heard::Quiet)
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(quiet, [4950, 10_120]);
    }

    #[test]
    fn who_is_waited_for() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            waiting_for(names[..2].iter().copied(), Duration::from_millis(9001)),
            "waiting for a, b: at most 10 s more"
        );
        assert_eq!(
            waiting_for(names.iter().copied(), Duration::from_secs(3)),
            "waiting for a, b, c, d, e and 2 more: at most 3 s more"
        );
    }
}
