//! From bytes to characters, as go-yaml's `readerc.go`: UTF-8, or UTF-16 after a byte-order mark;
//! control characters refused.
//!
//! It reads ahead by 512 bytes and no further, because what lies beyond the end of the first document
//! is never looked at: a bad byte there is an error only where the read-ahead meets it.

use super::{Mark, Problem};

/// What go-yaml reads at once (`input_raw_buffer_size`).
const WINDOW: usize = 512;

/// Characters of one byte that are allowed.
const USUAL: u8 = 1;

/// Characters that mean nothing anywhere in a scalar but at its start.
const PLAIN: u8 = 2;

/// Which of them a byte is: every byte of a file is looked up.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x7F {
        if byte == b'\n' || byte >= b' ' {
            classes[byte as usize] |= USUAL;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'.' | b'_' | b'-') {
            classes[byte as usize] |= PLAIN;
        }
        byte += 1;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { little: bool },
}

/// A position in a text, which is decoded as it is needed.
pub(super) struct Reader<'bytes> {
    bytes: &'bytes [u8],
    encoding: Encoding,
    /// What has been decoded of `bytes`.
    decoded: usize,
    /// What is to be decoded at once: up to here.
    window_end: usize,
    /// The end has been met.
    ended: bool,
    /// UTF-16 as UTF-8; unused for UTF-8, which stays where it is.
    wide: Vec<u8>,
    /// Where the text that can be read ends, in its own bytes.
    ready: usize,
    position: usize,
    /// Where go-yaml's buffer starts: its test for a byte-order mark looks there.
    buffer_start: usize,
    /// Characters that can be read, the NULs after the end included.
    unread: isize,
    /// The place in the text.
    pub mark: Mark,
}

impl<'bytes> Reader<'bytes> {
    pub fn new(bytes: &'bytes [u8]) -> Self {
        let (encoding, start) = match bytes {
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { little: true }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { little: false }, 2),
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            _ => (Encoding::Utf8, 0),
        };
        let text_start = if encoding == Encoding::Utf8 { start } else { 0 };
        Self {
            bytes,
            encoding,
            decoded: start,
            window_end: bytes.len().min(WINDOW),
            // It takes three bytes to know the encoding; fewer, and the end has been met.
            ended: bytes.len() < 3,
            wide: Vec::new(),
            ready: text_start,
            position: text_start,
            buffer_start: text_start,
            unread: 0,
            mark: Mark::default(),
        }
    }

    fn text(&self) -> &[u8] {
        match self.encoding {
            Encoding::Utf8 => self.bytes,
            Encoding::Utf16 { .. } => &self.wide,
        }
    }

    /// Makes that many characters readable, or meets the end.
    pub fn need(&mut self, characters: isize) -> Result<(), Problem> {
        if self.unread >= characters {
            return Ok(());
        }
        self.buffer_start = self.position;
        let mut first = true;
        while self.unread < characters {
            if !first || self.decoded == self.window_end {
                self.move_window();
            }
            first = false;
            while self.decoded < self.window_end {
                self.decode_usual();
                if self.decoded == self.window_end {
                    break;
                }
                let Some(width) = self.decode()? else { break };
                self.decoded += width;
                self.unread += 1;
            }
            if self.ended {
                self.unread += 1;
                break;
            }
        }
        Ok(())
    }

    fn move_window(&mut self) {
        if self.ended || self.window_end - self.decoded >= WINDOW {
            return;
        }
        if self.window_end == self.bytes.len() {
            self.ended = true;
        } else {
            self.window_end = self.bytes.len().min(self.decoded + WINDOW);
        }
    }

    /// Makes the usual characters of a text in UTF-8 readable at once.
    fn decode_usual(&mut self) {
        if self.encoding != Encoding::Utf8 {
            return;
        }
        let window = &self.bytes[self.decoded..self.window_end];
        let usual = window.iter().take_while(|byte| is(**byte, USUAL)).count();
        self.decoded += usual;
        self.ready = self.ready.max(self.decoded);
        self.unread += isize::try_from(usual).unwrap_or_default();
    }

    /// Makes the next character readable; gives its width in the file, or nothing where its end is
    /// not in the window yet.
    fn decode(&mut self) -> Result<Option<usize>, Problem> {
        let window = &self.bytes[self.decoded..self.window_end];
        let (character, width) = match self.encoding {
            Encoding::Utf8 => match narrow(window) {
                Decoded::Character(character, width) => (character, width),
                Decoded::Cut if !self.ended => return Ok(None),
                Decoded::Cut | Decoded::Bad => return Err(self.problem("it is not text in UTF-8")),
            },
            Encoding::Utf16 { little } => match wide(window, little) {
                Decoded::Character(character, width) => (character, width),
                Decoded::Cut if !self.ended => return Ok(None),
                Decoded::Cut | Decoded::Bad => return Err(self.problem("it is not text in UTF-16")),
            },
        };
        let allowed = matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..)
            && !matches!(character, '\u{FFFE}' | '\u{FFFF}');
        if !allowed {
            return Err(self.problem("a control character is not allowed"));
        }
        if self.encoding == Encoding::Utf8 {
            self.ready = self.decoded + width;
        } else {
            let mut buffer = [0; 4];
            self.wide
                .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            self.ready = self.wide.len();
        }
        Ok(Some(width))
    }

    /// The place of what could not be decoded. It lies ahead of the mark.
    fn problem(&self, what: &'static str) -> Problem {
        let ahead = self.text().get(self.position..self.ready).unwrap_or_default();
        let lines = ahead.iter().filter(|byte| **byte == b'\n').count();
        Problem {
            line: self.mark.line + lines + 1,
            column: 0,
            what,
        }
    }

    /// A byte of the text, that many after the position; 0 after the end.
    pub fn byte(&self, ahead: usize) -> u8 {
        let index = self.position + ahead;
        if index < self.ready { self.text()[index] } else { 0 }
    }

    pub fn is(&self, byte: u8) -> bool {
        self.byte(0) == byte
    }

    /// Whether go-yaml believes to see a byte-order mark: it looks at where its buffer starts, and
    /// not at where it stands.
    pub fn is_mark_of_order(&self) -> bool {
        self.text()[..self.ready]
            .get(self.buffer_start..)
            .is_some_and(|buffer| buffer.starts_with(&[0xEF, 0xBB, 0xBF]))
    }

    pub fn is_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0
    }

    pub fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// A line break: CR, LF, NEL, LS or PS.
    pub fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xC2 => self.byte(ahead + 1) == 0x85,
            0xE2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    pub fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_break(ahead) || self.is_end(ahead)
    }

    pub fn is_space(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// What names, handles and anchors are made of.
    pub fn is_word(&self) -> bool {
        matches!(self.byte(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// Passes over a character.
    pub fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
        self.unread -= 1;
        self.position += width(self.byte(0));
    }

    /// Passes over a line break, if there is one.
    pub fn skip_line(&mut self) {
        if !self.is_break(0) {
            return;
        }
        if self.is(b'\r') && self.byte(1) == b'\n' {
            self.skip();
        }
        self.skip();
        self.mark.column = 0;
        self.mark.line += 1;
    }

    /// Takes a character.
    pub fn read(&mut self, text: &mut Vec<u8>) {
        let end = self.position + width(self.byte(0));
        if end <= self.ready {
            text.extend_from_slice(&self.text()[self.position..end]);
        }
        self.skip();
    }

    /// Takes the characters that mean nothing anywhere in a scalar, where a good number of them can
    /// be read: what base64 is made of. The last is left, so that reading ahead goes on as before.
    pub fn read_plain_run(&mut self, text: &mut Vec<u8>) {
        let most = usize::try_from(self.unread - 1).unwrap_or_default();
        let ahead = self.text().get(self.position..self.ready).unwrap_or_default();
        let run = ahead
            .iter()
            .take(most)
            .take_while(|byte| is(**byte, PLAIN))
            .count();
        text.extend_from_slice(&ahead[..run]);
        self.position += run;
        self.mark.index += run;
        self.mark.column += run;
        self.unread -= isize::try_from(run).unwrap_or_default();
    }

    /// Takes a line break, if there is one: CR and NEL become LF, LS and PS stay.
    pub fn read_line(&mut self, text: &mut Vec<u8>) {
        if !self.is_break(0) {
            return;
        }
        if self.is(0xE2) {
            text.extend_from_slice(&self.text()[self.position..self.position + 3]);
        } else {
            text.push(b'\n');
        }
        self.skip_line();
    }
}

/// The bytes of a character, by its first.
pub(super) fn width(byte: u8) -> usize {
    match byte {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

enum Decoded {
    Character(char, usize),
    /// The window ends within it.
    Cut,
    Bad,
}

fn narrow(window: &[u8]) -> Decoded {
    let width = match window[0] {
        byte @ 0..=0x7F => return Decoded::Character(char::from(byte), 1),
        0x80..=0xBF | 0xF8.. => return Decoded::Bad,
        byte => width(byte),
    };
    let Some(bytes) = window.get(..width) else {
        return Decoded::Cut;
    };
    match std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.chars().next())
    {
        Some(character) => Decoded::Character(character, width),
        None => Decoded::Bad,
    }
}

fn wide(window: &[u8], little: bool) -> Decoded {
    let unit = |index: usize| {
        let pair = [*window.get(index)?, *window.get(index + 1)?];
        Some(if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    };
    let Some(first) = unit(0) else {
        return Decoded::Cut;
    };
    let (units, width) = if (0xD800..0xDC00).contains(&first) {
        let Some(second) = unit(2) else {
            return Decoded::Cut;
        };
        ([first, second], 4)
    } else {
        ([first, 0], 2)
    };
    match char::decode_utf16(units[..width / 2].iter().copied()).next() {
        Some(Ok(character)) => Decoded::Character(character, width),
        _ => Decoded::Bad,
    }
}
