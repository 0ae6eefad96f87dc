//! From tokens to events, as go-yaml's `parserc.go`: a machine of states.

use super::scanner::Scanner;
use super::token::{Token, TokenKind};
use super::{Mark, Problem};

/// What a parser says of a text.
#[derive(Debug)]
pub(super) enum Event {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        anchor: String,
    },
    Scalar {
        properties: Properties,
        text: String,
        /// Plain and without a tag, or with the tag `!`.
        implicit: bool,
    },
    SequenceStart(Properties),
    SequenceEnd,
    MappingStart(Properties),
    MappingEnd,
}

/// A node's anchor and tag; the tag is empty where there is none.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub anchor: Option<String>,
    pub tag: String,
}

/// What is expected next.
#[derive(Clone, Copy)]
pub(super) enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// An event and the place that it is about.
pub(super) type Placed = (Event, Mark);

/// The parser's state.
pub(super) struct Parser<'bytes> {
    pub(super) scanner: Scanner<'bytes>,
    pub(super) state: State,
    /// The states to go back to.
    states: Vec<State>,
    tag_prefixes: Vec<(String, String)>,
}

impl<'bytes> Parser<'bytes> {
    pub fn new(bytes: &'bytes [u8]) -> Self {
        Self {
            scanner: Scanner::new(bytes),
            state: State::StreamStart,
            states: Vec::new(),
            tag_prefixes: Vec::new(),
        }
    }

    /// The next event.
    pub fn next(&mut self) -> Result<Placed, Problem> {
        match self.state {
            State::StreamStart => {
                let mark = self.pass()?.mark;
                self.state = State::ImplicitDocumentStart;
                Ok((Event::StreamStart, mark))
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                let mark = self.scanner.peek()?.mark;
                self.state = State::FlowSequenceEntry;
                Ok((Event::MappingEnd, mark))
            }
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let mark = self.scanner.peek()?.mark;
                Ok(self.empty(State::FlowMappingKey, mark))
            }
            State::End => self.scanner.refuse("the text goes on where it cannot"),
        }
    }

    /// Takes the next token.
    pub(super) fn pass(&mut self) -> Result<Token, Problem> {
        let mark = self.scanner.peek()?.mark;
        self.scanner
            .take()
            .ok_or_else(|| Problem::at(mark, "the text goes on where it cannot"))
    }

    pub(super) fn back(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// A scalar that is not there.
    pub(super) fn empty(&mut self, state: State, mark: Mark) -> Placed {
        self.state = state;
        let scalar = Event::Scalar {
            properties: Properties::default(),
            text: String::new(),
            implicit: true,
        };
        (scalar, mark)
    }

    /// A node, after which the parser is in a state.
    pub(super) fn node_then(
        &mut self,
        state: State,
        block: bool,
        indentless: bool,
    ) -> Result<Placed, Problem> {
        self.states.push(state);
        self.node(block, indentless)
    }

    fn document_start(&mut self, implicit: bool) -> Result<Placed, Problem> {
        if !implicit {
            while self.scanner.peek()?.kind == TokenKind::DocumentEnd {
                self.pass()?;
            }
        }
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind == TokenKind::StreamEnd {
            self.pass()?;
            self.state = State::End;
            return Ok((Event::StreamEnd, mark));
        }
        let bare = !matches!(
            token.kind,
            TokenKind::Version { .. } | TokenKind::TagPrefix { .. } | TokenKind::DocumentStart
        );
        self.directives()?;
        self.states.push(State::DocumentEnd);
        if implicit && bare {
            self.state = State::BlockNode;
        } else {
            let token = self.scanner.peek()?;
            if token.kind != TokenKind::DocumentStart {
                return Err(Problem::at(token.mark, "a document's `---` is missing"));
            }
            self.pass()?;
            self.state = State::DocumentContent;
        }
        Ok((Event::DocumentStart, mark))
    }

    /// Takes directives.
    fn directives(&mut self) -> Result<(), Problem> {
        let mut version = false;
        loop {
            let mark = self.scanner.peek()?.mark;
            match &self.scanner.peek()?.kind {
                TokenKind::Version { .. } if version => {
                    return Err(Problem::at(mark, "the version of YAML is given twice"));
                }
                TokenKind::Version { major: 1, minor: 1 } => version = true,
                TokenKind::Version { .. } => {
                    return Err(Problem::at(mark, "this version of YAML is not read (1.1 is)"));
                }
                TokenKind::TagPrefix { handle, prefix } => {
                    if self.tag_prefixes.iter().any(|(known, _)| known == handle) {
                        return Err(Problem::at(mark, "a tag's prefix is given twice"));
                    }
                    self.tag_prefixes.push((handle.clone(), prefix.clone()));
                }
                _ => break,
            }
            self.pass()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tag_prefixes.iter().any(|(known, _)| known == handle) {
                self.tag_prefixes.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if matches!(
            token.kind,
            TokenKind::Version { .. }
                | TokenKind::TagPrefix { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        ) {
            self.back();
            return Ok(self.empty(self.state, mark));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind == TokenKind::DocumentEnd {
            self.pass()?;
        }
        self.tag_prefixes.clear();
        self.state = State::DocumentStart;
        Ok((Event::DocumentEnd, mark))
    }

    /// An anchor and a tag, in either order.
    fn properties(&mut self) -> Result<Properties, Problem> {
        let mut properties = Properties::default();
        let mut tagged = false;
        for _ in 0..2 {
            let token = self.scanner.peek()?;
            let mark = token.mark;
            match &token.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name.clone());
                }
                TokenKind::Tag { handle, suffix } if !tagged => {
                    tagged = true;
                    properties.tag = if handle.is_empty() {
                        suffix.clone()
                    } else {
                        let known = self.tag_prefixes.iter().find(|(known, _)| known == handle);
                        let Some((_, prefix)) = known else {
                            return Err(Problem::at(mark, "a tag's handle is not known"));
                        };
                        format!("{prefix}{suffix}")
                    };
                }
                _ => break,
            }
            self.pass()?;
        }
        Ok(properties)
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let start = token.mark;
        if let TokenKind::Alias(anchor) = &token.kind {
            let anchor = anchor.clone();
            self.back();
            self.pass()?;
            return Ok((Event::Alias { anchor }, start));
        }
        let properties = self.properties()?;
        let token = self.scanner.peek()?;
        let event = match &token.kind {
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Event::SequenceStart(properties)
            }
            TokenKind::Scalar { plain, .. } => {
                let implicit = (properties.tag.is_empty() && *plain) || properties.tag == "!";
                self.back();
                let TokenKind::Scalar { text, .. } = self.pass()?.kind else {
                    return Err(Problem::at(start, "something is missing"));
                };
                Event::Scalar {
                    properties,
                    text,
                    implicit,
                }
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                Event::SequenceStart(properties)
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                Event::MappingStart(properties)
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                Event::SequenceStart(properties)
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                Event::MappingStart(properties)
            }
            _ if properties.anchor.is_some() || !properties.tag.is_empty() => {
                let implicit = properties.tag.is_empty();
                self.back();
                Event::Scalar {
                    properties,
                    text: String::new(),
                    implicit,
                }
            }
            _ => return Err(Problem::at(token.mark, "something is missing")),
        };
        Ok((event, start))
    }

    fn block_sequence_entry(&mut self, first: bool) -> Result<Placed, Problem> {
        if first {
            self.pass()?;
        }
        let token = self.scanner.peek()?;
        let mark = token.mark;
        match token.kind {
            TokenKind::BlockEntry => {
                self.pass()?;
                if matches!(
                    self.scanner.peek()?.kind,
                    TokenKind::BlockEntry | TokenKind::BlockEnd
                ) {
                    return Ok(self.empty(State::BlockSequenceEntry, mark));
                }
                self.node_then(State::BlockSequenceEntry, true, false)
            }
            TokenKind::BlockEnd => {
                self.back();
                self.pass()?;
                Ok((Event::SequenceEnd, mark))
            }
            _ => Err(Problem::at(mark, "a list's `-` is missing")),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind != TokenKind::BlockEntry {
            self.back();
            return Ok((Event::SequenceEnd, mark));
        }
        self.pass()?;
        if matches!(
            self.scanner.peek()?.kind,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            return Ok(self.empty(State::IndentlessSequenceEntry, mark));
        }
        self.node_then(State::IndentlessSequenceEntry, true, false)
    }

    fn block_mapping_key(&mut self, first: bool) -> Result<Placed, Problem> {
        if first {
            self.pass()?;
        }
        let token = self.scanner.peek()?;
        let mark = token.mark;
        match token.kind {
            TokenKind::Key => {
                self.pass()?;
                self.block_mapping_node(State::BlockMappingValue, mark)
            }
            TokenKind::BlockEnd => {
                self.back();
                self.pass()?;
                Ok((Event::MappingEnd, mark))
            }
            _ => Err(Problem::at(mark, "a map's key is missing")),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Placed, Problem> {
        let token = self.scanner.peek()?;
        let mark = token.mark;
        if token.kind != TokenKind::Value {
            return Ok(self.empty(State::BlockMappingKey, mark));
        }
        self.pass()?;
        self.block_mapping_node(State::BlockMappingKey, mark)
    }

    /// What stands after a key's or a value's indicator, which may be nothing.
    fn block_mapping_node(&mut self, state: State, mark: Mark) -> Result<Placed, Problem> {
        if matches!(
            self.scanner.peek()?.kind,
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            return Ok(self.empty(state, mark));
        }
        self.node_then(state, true, true)
    }
}
