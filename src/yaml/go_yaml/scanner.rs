//! From characters to tokens, as go-yaml's `scannerc.go`, its bookkeeping of simple keys included:
//! which token ends a key is known late, and go-yaml forgets some of the keys that it waits for.

use std::collections::{HashMap, VecDeque};

use super::reader::Reader;
use super::token::{Token, TokenKind};
use super::{Mark, Problem};

/// Flow collections within another, and indentations within another, that go-yaml takes.
const DEEPEST: usize = 10_000;

/// The longest key that needs no `?`, in characters.
const LONGEST_KEY: usize = 1024;

/// What may turn out to be a key.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

/// The scanner's state. Its first token is the start of the stream.
pub(super) struct Scanner<'bytes> {
    pub reader: Reader<'bytes>,
    started: bool,
    /// Nested flow collections.
    pub flow_level: usize,
    tokens: VecDeque<Token>,
    /// Tokens that have been taken.
    taken: usize,
    /// The first token of the queue may be taken.
    available: bool,
    /// Column of the block that is being read; -1 outside of any.
    pub indent: isize,
    indents: Vec<isize>,
    pub simple_key_allowed: bool,
    /// One for each flow level.
    simple_keys: Vec<SimpleKey>,
    /// From a token's number to the flow level whose key it may be.
    by_token: HashMap<usize, usize>,
}

impl<'bytes> Scanner<'bytes> {
    pub fn new(bytes: &'bytes [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            started: false,
            flow_level: 0,
            tokens: VecDeque::new(),
            taken: 0,
            available: false,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: false,
            simple_keys: Vec::new(),
            by_token: HashMap::new(),
        }
    }

    /// The next token, which stays.
    pub fn peek(&mut self) -> Result<&Token, Problem> {
        if !self.available {
            self.fetch_more()?;
        }
        let mark = self.reader.mark;
        self.tokens
            .front()
            .ok_or_else(|| Problem::at(mark, "the text goes on where it cannot"))
    }

    /// Takes the next token, which has been looked at.
    pub fn take(&mut self) -> Option<Token> {
        self.available = false;
        self.taken += 1;
        self.tokens.pop_front()
    }

    fn mark(&self) -> Mark {
        self.reader.mark
    }

    /// The column, to be compared with an indentation.
    pub fn column(&self) -> isize {
        isize::try_from(self.reader.mark.column).unwrap_or(isize::MAX)
    }

    pub fn refuse<T>(&self, what: &'static str) -> Result<T, Problem> {
        Err(Problem::at(self.mark(), what))
    }

    fn fetch_more(&mut self) -> Result<(), Problem> {
        loop {
            if !self.tokens.is_empty() {
                let Some(level) = self.by_token.get(&self.taken).copied() else {
                    break;
                };
                // go-yaml itself dies where the level is gone.
                if level >= self.simple_keys.len() {
                    return self.refuse("this nesting cannot be read");
                }
                if !self.key_is_possible(level)? {
                    break;
                }
            }
            self.fetch_next()?;
        }
        self.available = true;
        Ok(())
    }

    fn push(&mut self, kind: TokenKind, mark: Mark) {
        self.tokens.push_back(Token { kind, mark });
    }

    /// Puts a token before the one of a number; at the end where that one has been taken.
    fn insert(&mut self, number: usize, kind: TokenKind, mark: Mark) {
        let token = Token { kind, mark };
        match number.checked_sub(self.taken) {
            Some(index) if index <= self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Takes a character that is a token.
    fn push_indicator(&mut self, kind: TokenKind, characters: usize) {
        let mark = self.mark();
        for _ in 0..characters {
            self.reader.skip();
        }
        self.push(kind, mark);
    }

    fn fetch_next(&mut self) -> Result<(), Problem> {
        self.reader.need(1)?;
        if !self.started {
            self.started = true;
            self.simple_keys.push(SimpleKey::default());
            self.simple_key_allowed = true;
            let mark = self.mark();
            self.push(TokenKind::StreamStart, mark);
            return Ok(());
        }
        self.skip_to_next()?;
        self.unroll_indent(self.column());
        self.reader.need(4)?;
        let first_column = self.mark().column == 0;
        let byte = self.reader.byte(0);
        let spaced = self.reader.is_space(1);
        let thrice = |scanner: &Self| {
            first_column
                && scanner.reader.byte(1) == byte
                && scanner.reader.byte(2) == byte
                && scanner.reader.is_space(3)
        };
        match byte {
            0 => self.fetch_stream_end(),
            b'%' if first_column => self.fetch_directive(),
            b'-' if thrice(self) => self.fetch_document_indicator(TokenKind::DocumentStart),
            b'.' if thrice(self) => self.fetch_document_indicator(TokenKind::DocumentEnd),
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if spaced => self.fetch_block_entry(),
            b'?' if self.flow_level > 0 || spaced => self.fetch_key(),
            b':' if self.flow_level > 0 || spaced => self.fetch_value(),
            b'*' | b'&' => self.fetch_property(Self::scan_anchor),
            b'!' => self.fetch_property(Self::scan_tag),
            b'|' | b'>' if self.flow_level == 0 => self.fetch_block_scalar(byte == b'|'),
            b'\'' => self.fetch_property(|scanner| scanner.scan_quoted(true)),
            b'"' => self.fetch_property(|scanner| scanner.scan_quoted(false)),
            // A plain scalar starts with no indicator; some are none where a character follows.
            b'-' => self.fetch_property(Self::scan_plain),
            b'?' | b':' => self.fetch_property(Self::scan_plain),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => self.refuse(if byte == b'\t' {
                "a tab stands where spaces have to indent"
            } else {
                "a character stands where it cannot start anything"
            }),
            _ => self.fetch_property(Self::scan_plain),
        }
    }

    /// Whether a level's key may still end; an error where it has to and cannot.
    fn key_is_possible(&mut self, level: usize) -> Result<bool, Problem> {
        let now = self.mark();
        let key = &mut self.simple_keys[level];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < now.line || key.mark.index + LONGEST_KEY < now.index {
            if key.required {
                return Err(Problem::at(key.mark, "a `:` is missing"));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_key(&mut self) -> Result<(), Problem> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == self.column(),
            token_number: self.taken + self.tokens.len(),
            mark: self.mark(),
        };
        self.remove_key()?;
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = key;
        self.by_token.insert(key.token_number, level);
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), Problem> {
        let level = self.simple_keys.len() - 1;
        let key = &mut self.simple_keys[level];
        if key.possible {
            if key.required {
                return Err(Problem::at(key.mark, "a `:` is missing"));
            }
            key.possible = false;
            self.by_token.remove(&key.token_number);
        }
        Ok(())
    }

    /// Starts a block that is indented further than the last.
    fn roll_indent(
        &mut self,
        column: isize,
        number: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Result<(), Problem> {
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > DEEPEST {
            return self.refuse("it is nested too deeply");
        }
        match number {
            Some(number) => self.insert(number, kind, mark),
            None => self.push(kind, mark),
        }
        Ok(())
    }

    /// Ends the blocks that are indented further than a column.
    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            let mark = self.mark();
            self.push(TokenKind::BlockEnd, mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Problem> {
        if self.reader.mark.column != 0 {
            self.reader.mark.column = 0;
            self.reader.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        let mark = self.mark();
        self.push(TokenKind::StreamEnd, mark);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Problem> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        let mark = self.mark();
        let kind = self.scan_directive()?;
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.save_key()?;
        self.simple_keys.push(SimpleKey {
            token_number: self.taken + self.tokens.len(),
            mark: self.mark(),
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > DEEPEST {
            return self.refuse("it is nested too deeply");
        }
        self.simple_key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            // An empty collection's own number goes with its level: go-yaml no longer waits for it.
            if let Some(key) = self.simple_keys.pop() {
                self.by_token.remove(&key.token_number);
            }
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Problem> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry, 1);
        Ok(())
    }

    /// An indicator of block style: it needs a place where a block may start.
    fn start_block(&mut self, kind: TokenKind, what: &'static str) -> Result<(), Problem> {
        if self.flow_level > 0 {
            return Ok(());
        }
        if !self.simple_key_allowed {
            return self.refuse(what);
        }
        self.roll_indent(self.column(), None, kind, self.mark())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Problem> {
        self.start_block(TokenKind::BlockSequenceStart, "a list's item cannot start here")?;
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Problem> {
        self.start_block(TokenKind::BlockMappingStart, "a map's key cannot start here")?;
        self.remove_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Problem> {
        let level = self.simple_keys.len() - 1;
        if self.key_is_possible(level)? {
            let key = self.simple_keys[level];
            self.insert(key.token_number, TokenKind::Key, key.mark);
            let column = isize::try_from(key.mark.column).unwrap_or(isize::MAX);
            self.roll_indent(
                column,
                Some(key.token_number),
                TokenKind::BlockMappingStart,
                key.mark,
            )?;
            self.simple_keys[level].possible = false;
            self.by_token.remove(&key.token_number);
            self.simple_key_allowed = false;
        } else {
            self.start_block(TokenKind::BlockMappingStart, "a map's value cannot start here")?;
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// An anchor, an alias, a tag or a scalar on a line: each may start a key.
    fn fetch_property(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<TokenKind, Problem>,
    ) -> Result<(), Problem> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let mark = self.mark();
        let kind = scan(self)?;
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Problem> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        let mark = self.mark();
        let kind = self.scan_block(literal)?;
        self.push(kind, mark);
        Ok(())
    }

    fn skip_to_next(&mut self) -> Result<(), Problem> {
        loop {
            self.reader.need(1)?;
            if self.mark().column == 0 && self.reader.is_mark_of_order() {
                self.reader.skip();
            }
            self.reader.need(1)?;
            while self.reader.is(b' ')
                || (self.reader.is(b'\t') && (self.flow_level > 0 || !self.simple_key_allowed))
            {
                self.reader.skip();
                self.reader.need(1)?;
            }
            self.skip_comment()?;
            if !self.reader.is_break(0) {
                return Ok(());
            }
            self.reader.need(2)?;
            self.reader.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Passes over a comment, if there is one, up to its line's end.
    pub fn skip_comment(&mut self) -> Result<(), Problem> {
        if self.reader.is(b'#') {
            while !self.reader.is_break_or_end(0) {
                self.reader.skip();
                self.reader.need(1)?;
            }
        }
        Ok(())
    }
}
