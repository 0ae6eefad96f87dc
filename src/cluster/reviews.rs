//! What peers say of stored credentials. In a full mesh of N clusters N × (N - 1) entries hold N
//! tokens: each token is reviewed once at each server that it is for, as soon as both the token and
//! the server are known, and not when the slowest cluster has been read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::Client;
use super::review::review;
use super::secrets::Tokens;
use crate::inventory::ReviewOutcome;

/// Reviews that are made or have been.
pub struct Reviews {
    wanted: bool,
    permits: Arc<Semaphore>,
    running: JoinSet<(usize, String, ReviewOutcome)>,
    tokens: Tokens,
    /// The tokens that are for a cluster ID.
    for_id: BTreeMap<String, BTreeSet<String>>,
    /// The clusters that answer, by cluster ID.
    answering: BTreeMap<String, BTreeSet<usize>>,
    /// By the cluster that was asked and the token; `None` until it has answered.
    outcomes: BTreeMap<(usize, String), Option<ReviewOutcome>>,
}

impl Reviews {
    /// No reviews yet, and none ever where they are not wanted; at most `parallel` at a time.
    pub fn new(wanted: bool, parallel: usize) -> Self {
        Self {
            wanted,
            permits: Arc::new(Semaphore::new(parallel.max(1))),
            running: JoinSet::new(),
            tokens: Tokens::new(),
            for_id: BTreeMap::new(),
            answering: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Learns of a cluster that answers, has a cluster ID and holds credentials for others. Gives what
    /// can be asked by now: which cluster, and of which token.
    pub fn learn(
        &mut self,
        index: usize,
        id: &str,
        credentials: BTreeSet<(String, String)>,
        tokens: Tokens,
    ) -> Vec<(usize, String)> {
        self.tokens.extend(tokens);
        let mut questions = Vec::new();
        if self.answering.entry(id.to_owned()).or_default().insert(index) {
            let waiting = self.for_id.get(id).into_iter().flatten();
            questions.extend(waiting.map(|token| (index, token.clone())));
        }
        for (id, token) in credentials {
            if self.for_id.entry(id.clone()).or_default().insert(token.clone()) {
                let answering = self.answering.get(&id).into_iter().flatten();
                questions.extend(answering.map(|index| (*index, token.clone())));
            }
        }
        questions
    }

    /// Asks a cluster of a token, once.
    pub fn ask(&mut self, index: usize, client: &Client, token_sha256: &str) {
        let key = (index, token_sha256.to_owned());
        let Some(token) = self.tokens.get(token_sha256).filter(|_| self.wanted) else {
            return;
        };
        if self.outcomes.contains_key(&key) {
            return;
        }
        self.outcomes.insert(key.clone(), None);
        let (client, token, permits) = (client.clone(), token.clone(), Arc::clone(&self.permits));
        self.running.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            (key.0, key.1, review(&client, &token).await)
        });
    }

    /// Whether nothing is being asked.
    pub fn are_done(&self) -> bool {
        self.running.is_empty()
    }

    /// Waits for one answer; for ever where nothing is being asked. Can be given up.
    pub async fn settle_one(&mut self) {
        match self.running.join_next().await {
            Some(Ok((index, token, outcome))) => {
                self.outcomes.insert((index, token), Some(outcome));
            }
            // A task that panicked leaves its question without an answer.
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// What a cluster said of a token, where it was asked.
    pub fn outcome(&self, index: usize, token_sha256: &str) -> Option<&ReviewOutcome> {
        self.outcomes.get(&(index, token_sha256.to_owned()))?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::sensitive::Sensitive;

    fn holding(credentials: &[(&str, &str)]) -> (BTreeSet<(String, String)>, Tokens) {
        let pairs = credentials
            .iter()
            .map(|(id, token)| ((*id).to_owned(), (*token).to_owned()));
        let tokens = credentials
            .iter()
            .map(|(_, token)| ((*token).to_owned(), Sensitive::new(*token)));
        (pairs.collect(), tokens.collect())
    }

    #[test]
    fn each_token_is_asked_about_once_and_as_soon_as_it_can_be() {
        let mut reviews = Reviews::new(true, 4);
        let mut learn = |index: usize, id: &str, credentials: &[(&str, &str)]| {
            let (credentials, tokens) = holding(credentials);
            reviews.learn(index, id, credentials, tokens)
        };
        // Nobody to ask yet.
        assert_eq!(learn(0, "east", &[("west", "w"), ("north", "n")]), []);
        // East is there to be asked of its own token; west of what east holds for it.
        let asked = learn(1, "west", &[("east", "e"), ("north", "n")]);
        assert_eq!(asked, [(1, "w".to_owned()), (0, "e".to_owned())]);
        // The same token in another cluster is no new question, an older one is.
        let asked = learn(2, "north", &[("east", "e"), ("west", "old")]);
        assert_eq!(asked, [(2, "n".to_owned()), (1, "old".to_owned())]);
        // A cluster that is heard of again brings only what is new.
        assert_eq!(learn(2, "north", &[("east", "e"), ("west", "old")]), []);
        assert_eq!(learn(2, "north", &[("east", "e2")]), [(0, "e2".to_owned())]);
    }
}
