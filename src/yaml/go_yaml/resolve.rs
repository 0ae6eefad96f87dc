//! What a scalar is, as go-yaml's `resolve.go`: by its tag, else by how it looks.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{number, timestamp};

/// A scalar's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    /// Only what is too large for [`Self::Int`].
    Uint(u64),
    Float(f64),
    /// The scalar's own text.
    Text,
    /// What `!!binary` stood for.
    Decoded(String),
}

const NULL: &str = "tag:yaml.org,2002:null";
const BOOL: &str = "tag:yaml.org,2002:bool";
const STR: &str = "tag:yaml.org,2002:str";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const BINARY: &str = "tag:yaml.org,2002:binary";

/// The tag of the key `<<`.
pub(super) const MERGE: &str = "tag:yaml.org,2002:merge";

/// Base64 as Go's `base64.StdEncoding`: the bits that are left over need not be zero.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// What a scalar is.
///
/// # Errors
/// It is not what its tag says.
pub(super) fn resolve(text: &str, tag: &str, implicit: bool) -> Result<Resolved, &'static str> {
    if tag.is_empty() && !implicit {
        return Ok(Resolved::Text);
    }
    let mismatch = "a value is not what its tag says";
    let found = match tag {
        "" => return Ok(by_look(text, false)),
        STR => return Ok(Resolved::Text),
        NULL | BOOL | INT | FLOAT => by_look(text, false),
        TIMESTAMP => by_look(text, true),
        BINARY => {
            let compact: Vec<u8> = text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect();
            let bytes = BASE64
                .decode(compact)
                .map_err(|_| "a value with the tag `!!binary` is not base64")?;
            return Ok(Resolved::Decoded(lossy(&bytes)));
        }
        _ => return Ok(Resolved::Text),
    };
    match (tag, found) {
        (NULL, Resolved::Null) => Ok(Resolved::Null),
        (BOOL, truth @ Resolved::Bool(_)) => Ok(truth),
        (INT, number @ (Resolved::Int(_) | Resolved::Uint(_))) => Ok(number),
        (FLOAT, number @ Resolved::Float(_)) => Ok(number),
        #[expect(clippy::cast_precision_loss, reason = "as go-yaml does")]
        (FLOAT, Resolved::Int(number)) => Ok(Resolved::Float(number as f64)),
        (TIMESTAMP, Resolved::Text) if timestamp::is_timestamp(text) => Ok(Resolved::Text),
        _ => Err(mismatch),
    }
}

/// What a scalar looks like. A timestamp is a text, in whatever way it is asked for.
fn by_look(text: &str, as_timestamp: bool) -> Resolved {
    let Some(&first) = text.as_bytes().first() else {
        return Resolved::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Resolved::Float(f64::INFINITY),
            _ => number::fraction_after_point(text).map_or(Resolved::Text, Resolved::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
            _ if as_timestamp && timestamp::is_timestamp(text) => Resolved::Text,
            _ => number_of(text),
        },
        _ => Resolved::Text,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        _ => Resolved::Text,
    }
}

/// A number, wherever `_` stands in it.
fn number_of(text: &str) -> Resolved {
    let plain = text.replace('_', "");
    if let Some(number) = number::signed(&plain) {
        return Resolved::Int(number);
    }
    if let Some(number) = number::unsigned(&plain) {
        return Resolved::Uint(number);
    }
    if let Some(number) = number::fraction(&plain) {
        return Resolved::Float(number);
    }
    plain
        .strip_prefix("0b")
        .and_then(number::signed_binary)
        .map_or(Resolved::Text, Resolved::Int)
}

/// Bytes as text, as Go's `encoding/json` writes them: U+FFFD for every byte that is not UTF-8.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
    }
    text
}
