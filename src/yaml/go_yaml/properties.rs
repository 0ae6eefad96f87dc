//! Directives, anchors, aliases and tags, as go-yaml's `scannerc.go`.

use super::Problem;
use super::reader::width;
use super::scanner::Scanner;
use super::token::TokenKind;

/// What a tag's URI is made of, besides words and escapes.
const URI: &[u8] = b";/?:@&=+$,.!~*'()[]";

impl Scanner<'_> {
    /// `%YAML` or `%TAG`, with its line.
    pub(super) fn scan_directive(&mut self) -> Result<TokenKind, Problem> {
        self.reader.skip();
        let mut name = Vec::new();
        self.read_word(&mut name)?;
        if name.is_empty() || !self.reader.is_space(0) {
            return self.refuse("a directive's name is missing");
        }
        let kind = match name.as_slice() {
            b"YAML" => self.scan_version()?,
            b"TAG" => self.scan_tag_prefix()?,
            _ => return self.refuse("the directive is not known"),
        };
        self.reader.need(1)?;
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.reader.is_break_or_end(0) {
            return self.refuse("a directive goes on where it should end");
        }
        if self.reader.is_break(0) {
            self.reader.need(2)?;
            self.reader.skip_line();
        }
        Ok(kind)
    }

    fn scan_version(&mut self) -> Result<TokenKind, Problem> {
        self.reader.need(1)?;
        self.skip_blanks()?;
        let major = self.scan_version_number()?;
        if !self.reader.is(b'.') {
            return self.refuse("the version of YAML is not two numbers");
        }
        self.reader.skip();
        let minor = self.scan_version_number()?;
        Ok(TokenKind::Version { major, minor })
    }

    fn scan_version_number(&mut self) -> Result<u8, Problem> {
        self.reader.need(1)?;
        let mut digits = 0;
        let mut value = 0;
        while self.reader.byte(0).is_ascii_digit() {
            digits += 1;
            if digits > 2 {
                break;
            }
            value = value * 10 + (self.reader.byte(0) - b'0');
            self.reader.skip();
            self.reader.need(1)?;
        }
        if !(1..=2).contains(&digits) {
            return self.refuse("the version of YAML is not two numbers");
        }
        Ok(value)
    }

    fn scan_tag_prefix(&mut self) -> Result<TokenKind, Problem> {
        self.reader.need(1)?;
        self.skip_blanks()?;
        let handle = self.scan_handle(true)?;
        self.reader.need(1)?;
        if !self.reader.is_blank(0) {
            return self.refuse("a space is missing in a directive");
        }
        self.skip_blanks()?;
        let prefix = self.scan_uri("")?;
        self.reader.need(1)?;
        if !self.reader.is_space(0) {
            return self.refuse("a directive goes on where it should end");
        }
        Ok(TokenKind::TagPrefix { handle, prefix })
    }

    /// `&name` or `*name`
    pub(super) fn scan_anchor(&mut self) -> Result<TokenKind, Problem> {
        let alias = self.reader.is(b'*');
        self.reader.skip();
        let mut name = Vec::new();
        self.read_word(&mut name)?;
        let follows = self.reader.is_space(0) || b"?:,]}%@`".contains(&self.reader.byte(0));
        if name.is_empty() || !follows {
            return self.refuse("an anchor's name is made of letters, digits, `_` and `-`");
        }
        let name = text(name);
        Ok(if alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        })
    }

    /// `!<uri>`, `!handle!suffix`, `!suffix` or `!`
    pub(super) fn scan_tag(&mut self) -> Result<TokenKind, Problem> {
        self.reader.need(2)?;
        let (handle, suffix) = if self.reader.byte(1) == b'<' {
            self.reader.skip();
            self.reader.skip();
            let suffix = self.scan_uri("")?;
            if !self.reader.is(b'>') {
                return self.refuse("a tag's `>` is missing");
            }
            self.reader.skip();
            (String::new(), suffix)
        } else {
            let handle = self.scan_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_uri("")?;
                (handle, suffix)
            } else {
                let suffix = self.scan_uri(&handle)?;
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        self.reader.need(1)?;
        if !self.reader.is_space(0) {
            return self.refuse("a tag goes on where it should end");
        }
        Ok(TokenKind::Tag { handle, suffix })
    }

    /// `!`, `!!` or `!name!`; outside of directives also `!name`, which is a suffix already.
    fn scan_handle(&mut self, directive: bool) -> Result<String, Problem> {
        self.reader.need(1)?;
        if !self.reader.is(b'!') {
            return self.refuse("a tag's `!` is missing");
        }
        let mut handle = Vec::new();
        self.reader.read(&mut handle);
        self.reader.need(1)?;
        self.read_word(&mut handle)?;
        if self.reader.is(b'!') {
            self.reader.read(&mut handle);
        } else if directive && handle != b"!" {
            return self.refuse("a tag's `!` is missing");
        }
        Ok(text(handle))
    }

    /// A URI after what has been read of it, with its `!`.
    fn scan_uri(&mut self, head: &str) -> Result<String, Problem> {
        let mut uri = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut any = !head.is_empty();
        self.reader.need(1)?;
        loop {
            if self.reader.is(b'%') {
                self.scan_escape(&mut uri)?;
            } else if self.reader.is_word() || URI.contains(&self.reader.byte(0)) {
                self.reader.read(&mut uri);
            } else {
                break;
            }
            self.reader.need(1)?;
            any = true;
        }
        if !any {
            return self.refuse("a tag's name is missing");
        }
        Ok(text(uri))
    }

    /// A character as `%C3%A9`.
    fn scan_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Problem> {
        let mut left = None;
        while left != Some(0) {
            self.reader.need(3)?;
            let digits = (hexadecimal(self.reader.byte(1)), hexadecimal(self.reader.byte(2)));
            let (true, (Some(high), Some(low))) = (self.reader.is(b'%'), digits) else {
                return self.refuse("an escape in a tag is not `%` and two digits");
            };
            let octet = high << 4 | low;
            left = Some(match left {
                None if octet & 0xC0 == 0x80 || octet >= 0xF8 => {
                    return self.refuse("an escape in a tag is not UTF-8");
                }
                None => width(octet) - 1,
                Some(_) if octet & 0xC0 != 0x80 => {
                    return self.refuse("an escape in a tag is not UTF-8");
                }
                Some(left) => left - 1,
            });
            uri.push(octet);
            for _ in 0..3 {
                self.reader.skip();
            }
        }
        Ok(())
    }

    fn read_word(&mut self, word: &mut Vec<u8>) -> Result<(), Problem> {
        self.reader.need(1)?;
        while self.reader.is_word() {
            self.reader.read(word);
            self.reader.need(1)?;
        }
        Ok(())
    }

    pub(super) fn skip_blanks(&mut self) -> Result<(), Problem> {
        while self.reader.is_blank(0) {
            self.reader.skip();
            self.reader.need(1)?;
        }
        Ok(())
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// What has been read as text; only escapes in a tag can make it anything else.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
