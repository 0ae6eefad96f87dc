//! How much is shown, and in which colours.

/// How a report is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// With UIDs, servers, replicas, fingerprints.
    pub wide: bool,
    /// With colours.
    pub colored: bool,
}

/// The colours that are used: the terminal's own, so that they fit its background.
#[derive(Debug, Clone, Copy)]
pub enum Color {
    /// As everything else.
    None,
    /// Wrong.
    Red,
    /// Not known, or not yet.
    Yellow,
    /// Well.
    Green,
    /// Worth knowing.
    Blue,
}

/// A text in a colour (ECMA-48 SGR), where the look has colours.
pub fn painted(text: &str, color: Color, look: Look) -> String {
    let code = match color {
        Color::None => return text.to_owned(),
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
    };
    if look.colored {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
