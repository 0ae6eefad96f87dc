//! How long to wait before a request is sent again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses that grow.
pub(super) struct Pause {
    next: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Pause {
    /// The next pause: what the server named, and not less than one that doubles each time, shortened
    /// at random so that not all who were refused together come back together.
    pub(super) fn next(&mut self, named: Option<Duration>) -> Duration {
        let own = self.next.mul_f64(rand::random_range(0.5..1.0));
        self.next = (self.next * 2).min(LONGEST);
        named.map_or(own, |named| named.max(own))
    }
}

/// When the server wants to be asked again: `Retry-After` in seconds or as a date (RFC 9110,
/// section 10.2.3). A date counts from the answer's own, where it has one: clocks differ.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp());
    let sent = headers.get(DATE).and_then(|value| date(value.to_str().ok()?));
    let wait = date(text)?.duration_since(sent.unwrap_or_else(Timestamp::now));
    // A date that has passed means now.
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_obeyed() {
        let after = |pairs: &[(http::HeaderName, &str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()));
            retry_after(&headers.collect())
        };
        assert_eq!(after(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[(RETRY_AFTER, "soon")]), None);
        let date = "Sun, 06 Nov 2044 08:49:37 GMT";
        assert_eq!(
            after(&[(DATE, "Sun, 06 Nov 2044 08:49:30 GMT"), (RETRY_AFTER, date)]),
            Some(Duration::from_secs(7))
        );
        assert!(after(&[(RETRY_AFTER, date)]).unwrap() > Duration::from_secs(60));
        assert_eq!(
            after(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT")]),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut pause = Pause::default();
        assert!(pause.next(None) <= FIRST);
        assert!(pause.next(Some(LONGEST * 9)) == LONGEST * 9);
        for _ in 0..99 {
            assert!(pause.next(None) <= LONGEST);
        }
        assert!(pause.next(None) >= LONGEST / 2);
    }
}
