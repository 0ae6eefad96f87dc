//! Scalars: plain, quoted and in blocks, as go-yaml's `scannerc.go`.

use super::Problem;
use super::properties::{hexadecimal, text};
use super::scanner::Scanner;
use super::token::TokenKind;

/// White space within a scalar, of which it depends on what follows what becomes of it.
#[derive(Default)]
struct Space {
    blanks: Vec<u8>,
    leading_break: Vec<u8>,
    trailing_breaks: Vec<u8>,
    /// A line break was met: the blanks are the next line's indentation.
    broken: bool,
}

impl Space {
    /// Folds line breaks: one is a space, more are as many but one.
    fn fold(&mut self, text: &mut Vec<u8>) {
        if self.leading_break.first() == Some(&b'\n') {
            if self.trailing_breaks.is_empty() {
                text.push(b' ');
            }
        } else {
            text.append(&mut self.leading_break);
        }
        text.append(&mut self.trailing_breaks);
        self.leading_break.clear();
    }
}

impl Scanner<'_> {
    /// `---` or `...` at the start of a line.
    fn is_document_indicator(&self) -> bool {
        let byte = self.reader.byte(0);
        self.reader.mark.column == 0
            && matches!(byte, b'-' | b'.')
            && self.reader.byte(1) == byte
            && self.reader.byte(2) == byte
            && self.reader.is_space(3)
    }

    /// Takes blanks and line breaks.
    fn read_space(&mut self, space: &mut Space, plain: bool) -> Result<(), Problem> {
        let indent = self.indent + 1;
        while self.reader.is_blank(0) || self.reader.is_break(0) {
            if self.reader.is_blank(0) {
                if plain && space.broken && self.column() < indent && self.reader.is(b'\t') {
                    return self.refuse("a tab stands where spaces have to indent");
                }
                if space.broken {
                    self.reader.skip();
                } else {
                    self.reader.read(&mut space.blanks);
                }
            } else {
                self.reader.need(2)?;
                if space.broken {
                    self.reader.read_line(&mut space.trailing_breaks);
                } else {
                    space.blanks.clear();
                    self.reader.read_line(&mut space.leading_break);
                    space.broken = true;
                }
            }
            self.reader.need(1)?;
        }
        Ok(())
    }

    /// A scalar without quotes.
    pub(super) fn scan_plain(&mut self) -> Result<TokenKind, Problem> {
        let mut value = Vec::new();
        let mut space = Space::default();
        let indent = self.indent + 1;
        loop {
            self.reader.need(4)?;
            if self.is_document_indicator() || self.reader.is(b'#') {
                break;
            }
            while !self.reader.is_space(0) {
                let byte = self.reader.byte(0);
                if (byte == b':' && self.reader.is_space(1))
                    || (self.flow_level > 0 && b",?[]{}".contains(&byte))
                {
                    break;
                }
                if space.broken {
                    space.fold(&mut value);
                    space.broken = false;
                } else {
                    value.append(&mut space.blanks);
                }
                self.reader.read(&mut value);
                self.reader.read_plain_run(&mut value);
                self.reader.need(2)?;
            }
            if !self.reader.is_blank(0) && !self.reader.is_break(0) {
                break;
            }
            self.reader.need(1)?;
            self.read_space(&mut space, true)?;
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        if space.broken {
            self.simple_key_allowed = true;
        }
        Ok(TokenKind::Scalar {
            text: text(value),
            plain: true,
        })
    }

    /// A scalar in quotes.
    pub(super) fn scan_quoted(&mut self, single: bool) -> Result<TokenKind, Problem> {
        let quote = if single { b'\'' } else { b'"' };
        let mut value = Vec::new();
        let mut space = Space::default();
        self.reader.skip();
        loop {
            self.reader.need(4)?;
            if self.is_document_indicator() || self.reader.is_end(0) {
                return self.refuse("a text's closing quote is missing");
            }
            space.broken = false;
            while !self.reader.is_space(0) {
                if single && self.reader.is(b'\'') && self.reader.byte(1) == b'\'' {
                    value.push(b'\'');
                    self.reader.skip();
                    self.reader.skip();
                } else if self.reader.is(quote) {
                    break;
                } else if !single && self.reader.is(b'\\') && self.reader.is_break(1) {
                    self.reader.need(3)?;
                    self.reader.skip();
                    self.reader.skip_line();
                    space.broken = true;
                    break;
                } else if !single && self.reader.is(b'\\') {
                    self.scan_escaped(&mut value)?;
                } else {
                    self.reader.read(&mut value);
                    self.reader.read_plain_run(&mut value);
                }
                self.reader.need(2)?;
            }
            self.reader.need(1)?;
            if self.reader.is(quote) {
                break;
            }
            self.read_space(&mut space, false)?;
            if space.broken {
                space.fold(&mut value);
            } else {
                value.append(&mut space.blanks);
            }
        }
        self.reader.skip();
        Ok(TokenKind::Scalar {
            text: text(value),
            plain: false,
        })
    }

    /// A character after a backslash.
    fn scan_escaped(&mut self, value: &mut Vec<u8>) -> Result<(), Problem> {
        let (escaped, digits): (&[u8], usize) = match self.reader.byte(1) {
            b'0' => (b"\0", 0),
            b'a' => (b"\x07", 0),
            b'b' => (b"\x08", 0),
            b't' | b'\t' => (b"\t", 0),
            b'n' => (b"\n", 0),
            b'v' => (b"\x0B", 0),
            b'f' => (b"\x0C", 0),
            b'r' => (b"\r", 0),
            b'e' => (b"\x1B", 0),
            b' ' => (b" ", 0),
            b'"' => (b"\"", 0),
            b'\'' => (b"'", 0),
            b'\\' => (b"\\", 0),
            b'N' => ("\u{85}".as_bytes(), 0),
            b'_' => ("\u{A0}".as_bytes(), 0),
            b'L' => ("\u{2028}".as_bytes(), 0),
            b'P' => ("\u{2029}".as_bytes(), 0),
            b'x' => (b"", 2),
            b'u' => (b"", 4),
            b'U' => (b"", 8),
            _ => return self.refuse("a backslash stands before a character that it cannot escape"),
        };
        value.extend_from_slice(escaped);
        self.reader.skip();
        self.reader.skip();
        if digits == 0 {
            return Ok(());
        }
        self.reader.need(digits.cast_signed())?;
        let mut code = 0_u32;
        for index in 0..digits {
            let Some(digit) = hexadecimal(self.reader.byte(index)) else {
                return self.refuse("an escape is not made of hexadecimal digits");
            };
            code = code << 4 | u32::from(digit);
        }
        let Some(character) = char::from_u32(code) else {
            return self.refuse("an escape is no character of Unicode");
        };
        let mut buffer = [0; 4];
        value.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        for _ in 0..digits {
            self.reader.skip();
        }
        Ok(())
    }

    /// A scalar after `|` or `>`.
    pub(super) fn scan_block(&mut self, literal: bool) -> Result<TokenKind, Problem> {
        self.reader.skip();
        let (chomping, increment) = self.scan_block_header()?;
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) + increment,
        };
        let mut value = Vec::new();
        let mut leading_break = Vec::new();
        let mut trailing_breaks = Vec::new();
        self.scan_block_breaks(&mut indent, &mut trailing_breaks)?;
        self.reader.need(1)?;
        let mut leading_blank = false;
        while self.column() == indent && !self.reader.is_end(0) {
            let blank = self.reader.is_blank(0);
            if !literal && !leading_blank && !blank && leading_break.first() == Some(&b'\n') {
                if trailing_breaks.is_empty() {
                    value.push(b' ');
                }
                leading_break.clear();
            } else {
                value.append(&mut leading_break);
            }
            value.append(&mut trailing_breaks);
            leading_blank = blank;
            while !self.reader.is_break_or_end(0) {
                self.reader.read(&mut value);
                self.reader.read_plain_run(&mut value);
                self.reader.need(1)?;
            }
            self.reader.need(2)?;
            self.reader.read_line(&mut leading_break);
            self.scan_block_breaks(&mut indent, &mut trailing_breaks)?;
        }
        if chomping != Chomping::Strip {
            value.append(&mut leading_break);
        }
        if chomping == Chomping::Keep {
            value.append(&mut trailing_breaks);
        }
        Ok(TokenKind::Scalar {
            text: text(value),
            plain: false,
        })
    }

    /// What stands after `|` or `>`, with its line: what becomes of the last line break, and how far
    /// the text is indented; 0 where its first line tells.
    fn scan_block_header(&mut self) -> Result<(Chomping, isize), Problem> {
        let mut chomping = None;
        let mut increment = None;
        self.reader.need(1)?;
        for _ in 0..2 {
            match self.reader.byte(0) {
                b'+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                b'-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                b'0' if increment.is_none() => return self.refuse("an indentation cannot be 0"),
                digit @ b'1'..=b'9' if increment.is_none() => {
                    increment = Some(isize::from(digit.cast_signed() - 48));
                }
                _ => break,
            }
            self.reader.skip();
            self.reader.need(1)?;
        }
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.reader.is_break_or_end(0) {
            return self.refuse("a block of text starts on a line of its own");
        }
        if self.reader.is_break(0) {
            self.reader.need(2)?;
            self.reader.skip_line();
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment.unwrap_or_default()))
    }

    /// Takes empty lines and the next one's indentation.
    fn scan_block_breaks(&mut self, indent: &mut isize, breaks: &mut Vec<u8>) -> Result<(), Problem> {
        let mut widest = 0;
        loop {
            self.reader.need(1)?;
            while (*indent == 0 || self.column() < *indent) && self.reader.is(b' ') {
                self.reader.skip();
                self.reader.need(1)?;
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.reader.is(b'\t') {
                return self.refuse("a tab stands where spaces have to indent");
            }
            if !self.reader.is_break(0) {
                break;
            }
            self.reader.need(2)?;
            self.reader.read_line(breaks);
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

/// What becomes of the line breaks at the end of a block of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}
