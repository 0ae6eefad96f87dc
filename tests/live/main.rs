//! Tests on real control planes that they start themselves: one binary, so that the parts are
//! resolved once and labs follow one another. They fail, and do not skip, where they cannot run.
#![cfg(target_os = "linux")]

mod faults;
mod fleet;
mod harness;
mod interrupted;
mod lab;
mod mesh;
mod pods;
