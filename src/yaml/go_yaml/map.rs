//! A map while it is being made: a Go map by the keys' types and values, in the order of their first
//! appearance.

use std::collections::HashMap;

use super::values::{Id, TextId};

/// A key as go-yaml has it: `1`, `1.0` and `"1"` are three.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(TextId),
}

/// A key that can be looked up.
#[derive(PartialEq, Eq, Hash)]
enum Known {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Text(String),
}

/// Up to here, looking through all entries is the quickest.
const FEW: usize = 16;

/// The entries of a map that is being made.
#[derive(Default)]
pub(super) struct Builder {
    entries: Vec<(Key, Id)>,
    /// Where each key is, once they are many.
    known: HashMap<Known, usize>,
}

impl Builder {
    /// Sets a key's value, whatever it was before.
    pub fn set<'text>(&mut self, key: Key, value: Id, text: impl Fn(TextId) -> &'text str) {
        let new = self.entries.len();
        let found = if new < FEW {
            self.entries
                .iter()
                .position(|(other, _)| equal(key, *other, &text))
        } else {
            if new == FEW && self.known.is_empty() {
                for (index, (key, _)) in self.entries.iter().enumerate() {
                    if let Some(known) = known(*key, &text) {
                        self.known.insert(known, index);
                    }
                }
            }
            known(key, &text).and_then(|known| {
                let index = *self.known.entry(known).or_insert(new);
                (index < new).then_some(index)
            })
        };
        match found {
            Some(index) => self.entries[index].1 = value,
            None => self.entries.push((key, value)),
        }
    }

    pub fn entries(self) -> Vec<(Key, Id)> {
        self.entries
    }
}

fn equal<'text>(one: Key, other: Key, text: impl Fn(TextId) -> &'text str) -> bool {
    match (one, other) {
        (Key::Null, Key::Null) => true,
        (Key::Bool(one), Key::Bool(other)) => one == other,
        (Key::Int(one), Key::Int(other)) => one == other,
        (Key::Uint(one), Key::Uint(other)) => one == other,
        (Key::Float(one), Key::Float(other)) => one == other,
        (Key::Text(one), Key::Text(other)) => text(one) == text(other),
        _ => false,
    }
}

/// Not-a-number is no key that can be found again.
fn known<'text>(key: Key, text: impl Fn(TextId) -> &'text str) -> Option<Known> {
    Some(match key {
        Key::Null => Known::Null,
        Key::Bool(truth) => Known::Bool(truth),
        Key::Int(number) => Known::Int(number),
        Key::Uint(number) => Known::Uint(number),
        Key::Float(number) if number.is_nan() => return None,
        // Both zeros are one.
        Key::Float(number) => Known::Float((number + 0.0).to_bits()),
        Key::Text(id) => Known::Text(text(id).to_owned()),
    })
}
