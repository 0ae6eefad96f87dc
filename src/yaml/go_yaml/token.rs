//! What a scanner makes of characters.

use super::Mark;

/// A token and where it starts.
#[derive(Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub mark: Mark,
}

/// The kinds of tokens (go-yaml's `yamlh.go`).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamStart,
    StreamEnd,
    /// `%YAML 1.1`
    Version {
        major: u8,
        minor: u8,
    },
    /// `%TAG ! prefix`
    TagPrefix {
        handle: String,
        prefix: String,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag {
        handle: String,
        suffix: String,
    },
    Scalar {
        text: String,
        /// Neither quoted nor a block.
        plain: bool,
    },
}
