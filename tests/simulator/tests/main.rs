//! The simulator's own rules, where holding it against a real API server cannot show them.
