//! Numbers as Go's `strconv` reads and writes them.

/// `ParseInt(text, 0, 64)`: a sign, a prefix for the base (`0x`, `0o`, `0b`, `0`), digits.
pub(super) fn signed(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(unsigned(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `ParseUint(text, 0, 64)`
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (base, digits) = match bytes {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    in_base(digits, base)
}

/// Digits of a base, without a sign.
fn in_base(digits: &str, base: u32) -> Option<u64> {
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

/// What go-yaml makes of `0b` after which Go sees no number: a sign may follow.
pub(super) fn signed_binary(text: &str) -> Option<i64> {
    i64::from_str_radix(text, 2).ok()
}

/// A decimal fraction: digits with at most one point among them, and an exponent. Nothing where it is
/// none, or beyond what 64 bits hold.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(index) => (&unsigned[..index], Some(&unsigned[index + 1..])),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) || !exponent_is_one {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `ParseFloat(text, 64)` of a text that starts with a point: `_` may stand between digits.
pub(super) fn fraction_after_point(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let between_digits = bytes.iter().enumerate().all(|(index, byte)| {
        *byte != b'_'
            || (index > 0
                && bytes[index - 1].is_ascii_digit()
                && bytes.get(index + 1).is_some_and(u8::is_ascii_digit))
    });
    between_digits.then(|| fraction(&text.replace('_', "")))?
}

/// As `encoding/json` writes it: the shortest digits that give the number back.
pub(super) fn json(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    format!("{number}")
}

/// As `sigs.k8s.io/yaml` writes a key: `FormatFloat(number, 'g', -1, 32)`.
pub(super) fn key(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "keys have 32 bits there")]
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if number == 0.0 || (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
