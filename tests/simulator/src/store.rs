//! What one cluster holds: a layer that many clusters share, and what was written over it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::item::{Item, Words};
use crate::resource::{ALL, Number, Resource};
use crate::selector::Selector;

/// Events that are kept for watches which begin in the past.
const HISTORY: usize = 1024;

/// Where an object is filed: its kind, namespace and name.
pub type Place = (Number, Box<str>, Box<str>);

/// Objects that clusters share.
pub type Layer = BTreeMap<Place, Arc<Item>>;

/// A layer of these objects. One whose kind is not served is left out.
pub fn layer(objects: &[Value]) -> Layer {
    objects
        .iter()
        .filter_map(|object| {
            let number = Resource::number_of(object["apiVersion"].as_str()?, object["kind"].as_str()?)?;
            let item = Item::new(object);
            Some((place(number, item.namespace(), item.name()), Arc::new(item)))
        })
        .collect()
}

/// Where an object is filed.
pub fn place(number: Number, namespace: &str, name: &str) -> Place {
    (number, namespace.into(), name.into())
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is another than before.
    Modified,
    /// It is gone.
    Deleted,
}

struct Event {
    version: u64,
    change: Change,
    place: Place,
    item: Arc<Item>,
    /// As it was before, for watches whose selector it leaves or enters.
    before: Option<Arc<Item>>,
}

/// Somebody who is told of changes.
struct Watcher {
    wanted: Wanted,
    tell: mpsc::UnboundedSender<Bytes>,
}

/// What a list or a watch asks for.
pub struct Wanted {
    /// The kind.
    pub number: Number,
    /// The namespace, or empty for all.
    pub namespace: String,
    /// Which of them.
    pub selector: Selector,
    /// Metadata alone.
    pub metadata_only: bool,
}

/// One cluster's objects.
pub struct Store {
    shared: Arc<Layer>,
    /// Written here; nothing where the shared one was deleted.
    own: BTreeMap<Place, Option<Arc<Item>>>,
    words: Arc<Words>,
    version: u64,
    history: VecDeque<Event>,
    watchers: Vec<Watcher>,
    uids: u64,
    seed: u64,
}

/// The version that a new cluster's store begins at; the shared objects have smaller ones.
pub const FIRST_VERSION: u64 = 10_000;

impl Store {
    /// A store over a shared layer. `seed` tells its UIDs from those of others.
    pub fn new(shared: Arc<Layer>, words: Arc<Words>, seed: u64) -> Self {
        Self {
            shared,
            own: BTreeMap::new(),
            words,
            version: FIRST_VERSION,
            history: VecDeque::new(),
            watchers: Vec::new(),
            uids: 0,
            seed,
        }
    }

    /// The version of the newest write.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A UID that no other object has.
    pub fn new_uid(&mut self) -> String {
        self.uids += 1;
        uid(self.seed, self.uids)
    }

    /// An object as it is kept.
    pub fn item(&self, place: &Place) -> Option<&Arc<Item>> {
        match self.own.get(place) {
            Some(written) => written.as_ref(),
            None => self.shared.get(place),
        }
    }

    /// An object as data.
    pub fn value(&self, place: &Place) -> Option<Value> {
        self.item(place)
            .map(|item| item.value(&ALL[place.0], &self.words))
    }

    /// Objects of a kind, of one namespace or all, in the order of their places, from one place on.
    fn items<'store>(
        &'store self,
        number: Number,
        namespace: &'store str,
        from: Option<Place>,
    ) -> impl Iterator<Item = (&'store Place, &'store Arc<Item>)> {
        let from = from.unwrap_or_else(|| place(number, namespace, ""));
        let belongs =
            move |place: &Place| place.0 == number && (namespace.is_empty() || *place.1 == *namespace);
        let mut shared = self
            .shared
            .range(from.clone()..)
            .take_while(move |(place, _)| belongs(place))
            .peekable();
        let mut own = self
            .own
            .range(from..)
            .take_while(move |(place, _)| belongs(place))
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let order = match (own.peek(), shared.peek()) {
                    (Some((one, _)), Some((other, _))) => one.cmp(other),
                    (Some(_), None) => Ordering::Less,
                    (None, _) => Ordering::Greater,
                };
                match order {
                    Ordering::Greater => return shared.next(),
                    Ordering::Equal => drop(shared.next()),
                    Ordering::Less => {}
                }
                if let Some((place, Some(item))) = own.next() {
                    return Some((place, item));
                }
            }
        })
    }

    /// Objects of a kind as data.
    pub fn values(&self, number: Number, namespace: &str) -> Vec<Value> {
        self.items(number, namespace, None)
            .map(|(_, item)| item.value(&ALL[number], &self.words))
            .collect()
    }

    /// The names of a kind's objects, such as of definitions.
    pub fn has_named(&self, number: Number, name: &str) -> bool {
        self.item(&place(number, "", name)).is_some()
    }

    /// Files an object under a new version, and tells whoever watches.
    pub fn put(&mut self, place: Place, object: &mut Value) -> Arc<Item> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let item = Arc::new(Item::new(object));
        let before = self.item(&place).cloned();
        let change = if before.is_some() {
            Change::Modified
        } else {
            Change::Added
        };
        self.own.insert(place.clone(), Some(Arc::clone(&item)));
        self.tell(Event {
            version: self.version,
            change,
            place,
            item: Arc::clone(&item),
            before,
        });
        item
    }

    /// Takes an object away, and gives it as it was.
    pub fn remove(&mut self, place: &Place) -> Option<Value> {
        let mut value = self.value(place)?;
        let before = self.item(place).cloned();
        self.version += 1;
        value["metadata"]["resourceVersion"] = self.version.to_string().into();
        if self.shared.contains_key(place) {
            self.own.insert(place.clone(), None);
        } else {
            self.own.remove(place);
        }
        self.tell(Event {
            version: self.version,
            change: Change::Deleted,
            place: place.clone(),
            item: Arc::new(Item::new(&value)),
            before,
        });
        Some(value)
    }

    /// Objects in a namespace, of every kind.
    pub fn places_in(&self, namespace: &str) -> Vec<Place> {
        (0..ALL.len())
            .filter(|number| ALL[*number].namespaced)
            .flat_map(|number| {
                self.items(number, namespace, None)
                    .map(|(place, _)| place.clone())
            })
            .collect()
    }

    fn tell(&mut self, event: Event) {
        let words = Arc::clone(&self.words);
        self.watchers
            .retain(|watcher| match line(&event, &watcher.wanted, &words) {
                Some(line) => watcher.tell.send(line).is_ok(),
                None => !watcher.tell.is_closed(),
            });
        self.history.push_back(event);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Writes a list's body.
    ///
    /// # Errors
    ///
    /// Where the continue token is none of ours.
    pub fn list(&self, wanted: &Wanted, limit: usize, continued: &str) -> Result<Vec<u8>, &'static str> {
        let resource = &ALL[wanted.number];
        let from = match continued {
            "" => None,
            token => Some(place_of_token(token, wanted.number).ok_or("continue key is not valid")?),
        };
        let mut items = Vec::with_capacity(4096);
        let mut count = 0;
        let mut next = None;
        let mut remaining = 0;
        for (place, item) in self.selected(wanted, from) {
            if limit > 0 && count == limit {
                next.get_or_insert_with(|| token_of(place));
                remaining += 1;
                // How many remain is only said where nothing selects.
                if wanted.selector.is_empty() {
                    continue;
                }
                break;
            }
            if count > 0 {
                items.push(b',');
            }
            count += 1;
            if wanted.metadata_only {
                item.write_metadata(&self.words, &mut items);
            } else if resource.custom {
                item.write_whole(resource, &self.words, &mut items);
            } else {
                item.write_listed(&self.words, &mut items);
            }
        }
        let (kind, api_version) = if wanted.metadata_only {
            ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned())
        } else {
            (resource.kind, resource.api_version())
        };
        let mut metadata = json!({"resourceVersion": self.version.to_string()});
        // Lists of custom resources say that nothing follows, and empty lists of metadata are null.
        if resource.custom && !wanted.metadata_only {
            metadata["continue"] = "".into();
        }
        if let Some(token) = next {
            metadata["continue"] = token.into();
            if wanted.selector.is_empty() {
                metadata["remainingItemCount"] = remaining.into();
            }
        }
        let mut body = format!(
            "{{\"kind\":\"{kind}List\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":"
        )
        .into_bytes();
        if wanted.metadata_only && items.is_empty() {
            body.extend_from_slice(b"null}\n");
            return Ok(body);
        }
        body.push(b'[');
        body.reserve(items.len() + 3);
        body.extend_from_slice(&items);
        body.extend_from_slice(b"]}\n");
        Ok(body)
    }

    fn selected<'store>(
        &'store self,
        wanted: &'store Wanted,
        from: Option<Place>,
    ) -> impl Iterator<Item = (&'store Place, &'store Arc<Item>)> {
        let resource = &ALL[wanted.number];
        self.items(wanted.number, &wanted.namespace, from)
            .filter(move |(_, item)| {
                wanted.selector.is_empty() || wanted.selector.selects(&item.seen_by(resource, &self.words))
            })
    }

    /// Begins a watch: what happened since a version, and from now on. Without a version, what
    /// stands is told as if it had just been added.
    ///
    /// # Errors
    ///
    /// Where the version is older than what is remembered.
    pub fn watch(
        &mut self,
        wanted: Wanted,
        since: Option<u64>,
    ) -> Result<mpsc::UnboundedReceiver<Bytes>, TooOld> {
        let (tell, told) = mpsc::unbounded_channel();
        match since {
            None => {
                let resource = &ALL[wanted.number];
                for (_, item) in self.selected(&wanted, None) {
                    // The receiver is in this function.
                    let _ = tell.send(event_line(Change::Added, item, resource, &wanted, &self.words));
                }
            }
            Some(since) => {
                let oldest = self
                    .history
                    .front()
                    .map_or(self.version, |event| event.version - 1);
                if since < oldest {
                    return Err(TooOld {
                        wanted: since,
                        oldest,
                    });
                }
                for event in self.history.iter().filter(|event| event.version > since) {
                    if let Some(line) = line(event, &wanted, &self.words) {
                        let _ = tell.send(line);
                    }
                }
            }
        }
        self.watchers.push(Watcher { wanted, tell });
        Ok(told)
    }
}

/// A watch wants to begin before what is remembered.
pub struct TooOld {
    /// Where it wants to begin.
    pub wanted: u64,
    /// What is remembered.
    pub oldest: u64,
}

/// The line of a watch that an event is, where the watch is told of it.
fn line(event: &Event, wanted: &Wanted, words: &Words) -> Option<Bytes> {
    let (number, namespace, _) = &event.place;
    if *number != wanted.number || !(wanted.namespace.is_empty() || **namespace == *wanted.namespace) {
        return None;
    }
    let resource = &ALL[*number];
    let selects = |item: &Arc<Item>| {
        wanted.selector.is_empty() || wanted.selector.selects(&item.seen_by(resource, words))
    };
    let was = event.before.as_ref().is_some_and(selects);
    let is = event.change != Change::Deleted && selects(&event.item);
    let change = match (was, is) {
        (false, false) => return None,
        (false, true) => Change::Added,
        (true, true) => Change::Modified,
        (true, false) => Change::Deleted,
    };
    Some(event_line(change, &event.item, resource, wanted, words))
}

fn event_line(change: Change, item: &Item, resource: &Resource, wanted: &Wanted, words: &Words) -> Bytes {
    let change = match change {
        Change::Added => "ADDED",
        Change::Modified => "MODIFIED",
        Change::Deleted => "DELETED",
    };
    let mut line = format!("{{\"type\":\"{change}\",\"object\":").into_bytes();
    if wanted.metadata_only {
        item.write_metadata(words, &mut line);
    } else {
        item.write_whole(resource, words, &mut line);
    }
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

fn token_of(place: &Place) -> String {
    use base64::Engine;
    let text = json!({"v": "meta.k8s.io/v1", "namespace": place.1, "start": place.2}).to_string();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn place_of_token(token: &str, number: Number) -> Option<Place> {
    use base64::Engine;
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token)
        .ok()?;
    let value: Value = serde_json::from_slice(&text).ok()?;
    Some(place(
        number,
        value["namespace"].as_str()?,
        value["start"].as_str()?,
    ))
}

/// A UID (RFC 9562 version 4 in its form) made of two numbers: the same ones give the same.
pub fn uid(seed: u64, number: u64) -> String {
    let (one, other) = (mixed(seed ^ 0x5eed), mixed(seed.rotate_left(32) ^ number));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        one >> 32,
        (one >> 16) & 0xffff,
        one & 0xfff,
        (other >> 52) & 0xfff,
        other & 0xffff_ffff_ffff
    )
}

/// SplitMix64's finaliser: numbers that are neighbours look like strangers.
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
