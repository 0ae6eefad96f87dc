//! Giving out addresses of a range: each to one at a time, and the one that was given back last
//! comes last, so that whoever still dials an old one does not reach somebody else. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// The addresses of a range, and who has which.
#[derive(Debug)]
pub struct Addresses {
    free: VecDeque<Ipv4Addr>,
    taken: BTreeMap<String, Ipv4Addr>,
}

impl Addresses {
    /// A range that nobody has anything of.
    pub fn new(range: impl Iterator<Item = Ipv4Addr>) -> Self {
        Self {
            free: range.collect(),
            taken: BTreeMap::new(),
        }
    }

    /// The address of an owner, who gets one with the first call; none where all are taken.
    pub fn take(&mut self, owner: &str) -> Option<Ipv4Addr> {
        if let Some(address) = self.taken.get(owner) {
            return Some(*address);
        }
        let address = self.free.pop_front()?;
        self.taken.insert(owner.to_owned(), address);
        Some(address)
    }

    /// Takes an owner's address back.
    pub fn give_back(&mut self, owner: &str) {
        self.free.extend(self.taken.remove(owner));
    }

    /// Those who have an address.
    pub fn owners(&self) -> impl Iterator<Item = &String> {
        self.taken.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_with_their_owner_and_return_late() {
        let range = (1..=3).map(|last| Ipv4Addr::new(10, 0, 0, last));
        let mut addresses = Addresses::new(range);
        let first = addresses.take("a").unwrap();
        assert_eq!(addresses.take("a"), Some(first));
        assert_ne!(addresses.take("b"), Some(first));
        addresses.give_back("a");
        addresses.give_back("a");
        assert_ne!(addresses.take("c"), Some(first));
        assert_eq!(addresses.take("d"), Some(first));
        assert_eq!(addresses.take("e"), None);
    }
}
