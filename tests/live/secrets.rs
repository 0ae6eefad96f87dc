//! Nothing secret is shown.
