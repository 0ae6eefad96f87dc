//! What go-yaml takes for a timestamp where the tag `!!timestamp` asks for one: its four layouts, by the
//! rules of Go's `time.Parse`. Without the tag it makes no difference: such a text stays a text.

/// Whether a text is a timestamp.
pub(super) fn is_timestamp(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && parse(text).is_some()
}

fn parse(text: &str) -> Option<()> {
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    rest.literal("-")?;
    let month = rest.digits(1, 2)?;
    rest.literal("-")?;
    let day = rest.digits(1, 2)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    if rest.0.is_empty() {
        return Some(());
    }
    let zoned = rest.literal("T").or_else(|| rest.literal("t")).is_some();
    if !zoned {
        rest.literal(" ")?;
        rest.0 = rest.0.trim_start_matches(' ');
    }
    let hour = rest.digits(1, 2)?;
    rest.literal(":")?;
    let minute = rest.digits(1, 2)?;
    rest.literal(":")?;
    let second = rest.digits(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if rest.literal(".").or_else(|| rest.literal(",")).is_some() {
        rest.digits(1, usize::MAX)?;
    }
    if zoned && rest.literal("Z").is_none() {
        rest.literal("+").or_else(|| rest.literal("-"))?;
        let hours = rest.digits(2, 2)?;
        rest.literal(":")?;
        let minutes = rest.digits(2, 2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
    }
    rest.0.is_empty().then_some(())
}

struct Rest<'text>(&'text str);

impl Rest<'_> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// Digits, as many as there are up to a number; their value does not matter where they are many.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.parse().unwrap_or(u32::MAX))
    }
}
