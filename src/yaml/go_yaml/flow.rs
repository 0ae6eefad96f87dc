//! Collections in flow style, `[a, b]` and `{a: b}`, as go-yaml's `parserc.go`.

use super::Problem;
use super::parser::{Event, Parser, Placed, Properties, State};
use super::token::TokenKind;

impl Parser<'_> {
    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> Result<Placed, Problem> {
        if first {
            self.pass()?;
        }
        self.flow_separator(first, &TokenKind::FlowSequenceEnd, "a `,` or `]` is missing")?;
        let token = self.scanner.peek()?;
        let mark = token.mark;
        match token.kind {
            TokenKind::FlowSequenceEnd => {
                self.back();
                self.pass()?;
                Ok((Event::SequenceEnd, mark))
            }
            TokenKind::Key => {
                self.pass()?;
                self.state = State::FlowSequenceEntryMappingKey;
                Ok((Event::MappingStart(Properties::default()), mark))
            }
            _ => self.node_then(State::FlowSequenceEntry, false, false),
        }
    }

    /// The comma before every entry but the first.
    fn flow_separator(&mut self, first: bool, end: &TokenKind, what: &'static str) -> Result<(), Problem> {
        let token = self.scanner.peek()?;
        if first || token.kind == *end {
            return Ok(());
        }
        if token.kind != TokenKind::FlowEntry {
            return Err(Problem::at(token.mark, what));
        }
        self.pass()?;
        Ok(())
    }

    pub(super) fn flow_sequence_entry_mapping_key(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        ) {
            // go-yaml takes the token as well, so that a key without a value loses what follows.
            self.pass()?;
            return Ok(self.empty(State::FlowSequenceEntryMappingValue, mark));
        }
        self.node_then(State::FlowSequenceEntryMappingValue, false, false)
    }

    pub(super) fn flow_sequence_entry_mapping_value(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind == TokenKind::Value {
            self.pass()?;
            if !matches!(
                self.scanner.peek()?.kind,
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
            ) {
                return self.node_then(State::FlowSequenceEntryMappingEnd, false, false);
            }
        }
        Ok(self.empty(State::FlowSequenceEntryMappingEnd, mark))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Result<Placed, Problem> {
        if first {
            self.pass()?;
        }
        self.flow_separator(first, &TokenKind::FlowMappingEnd, "a `,` or `}` is missing")?;
        let token = self.scanner.peek()?;
        let mark = token.mark;
        match token.kind {
            TokenKind::FlowMappingEnd => {
                self.back();
                self.pass()?;
                Ok((Event::MappingEnd, mark))
            }
            TokenKind::Key => {
                self.pass()?;
                self.flow_mapping_node(State::FlowMappingValue)
            }
            _ => self.node_then(State::FlowMappingEmptyValue, false, false),
        }
    }

    /// A key, or nothing where its value follows.
    fn flow_mapping_node(&mut self, state: State) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
        ) {
            return Ok(self.empty(state, mark));
        }
        self.node_then(state, false, false)
    }

    pub(super) fn flow_mapping_value(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind == TokenKind::Value {
            self.pass()?;
            if !matches!(
                self.scanner.peek()?.kind,
                TokenKind::FlowEntry | TokenKind::FlowMappingEnd
            ) {
                return self.node_then(State::FlowMappingKey, false, false);
            }
        }
        Ok(self.empty(State::FlowMappingKey, mark))
    }
}
