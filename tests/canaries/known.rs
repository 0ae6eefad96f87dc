//! Canaries: random texts that stand where secrets stand, and the search for any part of one, in
//! any form in which it could be shown.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::chance::Chance;

/// The bytes by which a part of a form is looked up.
const KEY: usize = 8;
/// Bits of the number by which most places of a text are passed over.
const FILTER_BITS: u32 = 24;

/// Canaries, and every form of theirs.
pub struct Known {
    forms: Vec<Form>,
    /// Where in which form the eight bytes stand.
    index: HashMap<[u8; KEY], Vec<(usize, usize)>>,
    filter: Vec<u64>,
    chance: Chance,
}

struct Form {
    what: String,
    text: Vec<u8>,
    /// So many of its bytes, wherever in it, are proof: as many as eight of the canary's own.
    proof: usize,
}

impl Known {
    /// No canaries yet; the same seed gives the same ones.
    pub fn new(seed: u64) -> Self {
        Self {
            forms: Vec::new(),
            index: HashMap::new(),
            filter: vec![0; 1 << (FILTER_BITS - 6)],
            chance: Chance::new(seed),
        }
    }

    /// A new canary: 32 letters and digits by chance.
    pub fn canary(&mut self, what: &str) -> String {
        let text: String = (0..32).map(|_| self.chance.letter()).collect();
        self.add(what, &text);
        text
    }

    /// A new canary in the middle of characters that formats escape.
    pub fn crooked(&mut self, what: &str) -> String {
        let (one, other) = (self.canary(what), self.canary(what));
        format!("{one}\"\\%2F/ é&'{other}")
    }

    /// A new canary as what a PEM block of a label holds.
    pub fn pem(&mut self, what: &str, label: &str) -> String {
        let lines: Vec<String> = (0..3)
            .map(|number| {
                let what = format!("{what}, line {number}");
                self.canary(&what) + &self.canary(&what)
            })
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    }

    /// A new canary as the signature of a service account's token.
    pub fn token(&mut self, what: &str, account: &str) -> String {
        let encoded = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}{}",
            encoded("{\"alg\":\"RS256\",\"kid\":\"a\"}"),
            encoded(&format!("{{\"iss\":\"kubernetes\",\"sub\":\"{account}\"}}")),
            self.canary(what),
            self.canary(what),
        )
    }

    /// What of a private key (PKCS#8, P-256) is secret: its public part stands in the certificate.
    pub fn add_key(&mut self, what: &str, pem: &str) {
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        assert!(
            pem.contains("PRIVATE KEY") && body.len() == 3,
            "{what} is no such key"
        );
        // The number itself is the 32 bytes from the 36th on (RFC 5915, in RFC 5208's frame).
        self.add(what, &body[0][48..]);
        self.add(what, &body[1][..27]);
    }

    /// Makes a text known that is secret.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= KEY, "{what} is too short to be told from chance");
        let bytes = secret.as_bytes();
        let each = |form: &dyn Fn(u8) -> String| -> Vec<u8> {
            bytes.iter().flat_map(|byte| form(*byte).into_bytes()).collect()
        };
        self.add_form(what, "as it is", bytes.to_vec(), 8);
        self.add_form(what, "backwards", bytes.iter().rev().copied().collect(), 8);
        self.add_form(what, "in hex", each(&|byte| format!("{byte:02x}")), 16);
        self.add_form(what, "in HEX", each(&|byte| format!("{byte:02X}")), 16);
        self.add_form(what, "percent-encoded", each(&|byte| format!("%{byte:02X}")), 24);
        self.add_form(
            what,
            "as JSON's escapes",
            each(&|byte| format!("\\u{byte:04x}")),
            48,
        );
        self.add_form(what, "as a list of numbers", each(&|byte| format!("{byte},")), 20);
        self.add_form(
            what,
            "as a list of numbers",
            each(&|byte| format!("{byte}, ")),
            28,
        );
        for once in in_base64(bytes) {
            for twice in in_base64(&once) {
                self.add_form(what, "in base64 of base64", twice, 16);
            }
            self.add_form(what, "in base64", once, 12);
        }
    }

    fn add_form(&mut self, what: &str, how: &str, text: Vec<u8>, proof: usize) {
        let proof = proof.min(text.len());
        let number = self.forms.len();
        for (at, key) in text.array_windows::<KEY>().enumerate() {
            if at + proof <= text.len() {
                let place = filtered(text[at..].first_chunk().expect("a key is longer"));
                self.filter[place >> 6] |= 1 << (place & 63);
                self.index.entry(*key).or_default().push((number, at));
            }
        }
        self.forms.push(Form {
            what: format!("{what} {how}"),
            text,
            proof,
        });
    }

    /// The part of a text around its first canary, without the canary.
    pub fn blotted(&self, text: &[u8]) -> String {
        let (mut clean, mut end) = (0, text.len());
        while clean + 1 < end {
            let middle = usize::midpoint(clean, end);
            if self.within(&text[..middle]).is_empty() {
                clean = middle;
            } else {
                end = middle;
            }
        }
        let begin = end.saturating_sub(160);
        let before = String::from_utf8_lossy(&text[begin..end.saturating_sub(10).max(begin)]).into_owned();
        format!("…{before}… <canary>")
    }

    /// What is found in a text.
    pub fn within(&self, text: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, beginning) in text.array_windows::<4>().enumerate() {
            let place = filtered(beginning);
            if self.filter[place >> 6] & (1 << (place & 63)) == 0 {
                continue;
            }
            let Some(key) = text[at..].first_chunk::<KEY>() else {
                break;
            };
            for &(number, from) in self.index.get(key).into_iter().flatten() {
                let form = &self.forms[number];
                if text[at..].starts_with(&form.text[from..from + form.proof]) {
                    found.insert(form.what.as_str());
                }
            }
        }
        found
    }
}

fn filtered(beginning: &[u8; 4]) -> usize {
    (u32::from_le_bytes(*beginning).wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS)) as usize
}

/// Three bytes are four characters: the three ways for a text to lie in base64, without the
/// characters at both ends that depend on what is beside it.
fn in_base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut ways = Vec::new();
    for before in 0..3 {
        let padded = [&b"///"[..before], bytes].concat();
        let whole = padded.len() / 3 * 3;
        for alphabet in [STANDARD, URL_SAFE] {
            let encoded = alphabet.encode(&padded[..whole]).into_bytes();
            let way = encoded[if before == 0 { 0 } else { 4 }..].to_vec();
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
    }
    ways
}

#[test]
fn every_form_of_a_part_is_found_and_nothing_else() {
    let mut known = Known::new(1);
    let canary = known.canary("it");
    let part = &canary[11..19];
    let hidden = |text: String| assert_eq!(known.within(text.as_bytes()).len(), 1, "{text}");
    hidden(format!("what {part} says"));
    hidden(part.chars().rev().collect());
    hidden(part.bytes().map(|byte| format!("{byte:02x}")).collect());
    hidden(part.bytes().map(|byte| format!("%{byte:02X}")).collect());
    hidden(format!("{:?}", &part.as_bytes()));
    for before in ["", "a", "ab"] {
        let once = STANDARD.encode(format!("{before}{canary}"));
        assert!(!known.within(once.as_bytes()).is_empty());
        let twice = STANDARD.encode(format!("{before}{once}"));
        assert!(!known.within(twice.as_bytes()).is_empty());
    }
    assert!(known.within(&canary.as_bytes()[..7]).is_empty());
    assert!(known.within(include_bytes!("known.rs")).is_empty());
}
