//! Tests on real control planes that they start themselves: one binary, so that the parts are
//! resolved once and labs follow one another. They fail, and do not skip, where they cannot run.
#![cfg(target_os = "linux")]

mod adopt;
mod ambient;
mod by_hand;
mod canaries;
mod every_fault;
mod everything;
mod external;
#[path = "../faults/cases.rs"]
mod fault_cases;
mod faults;
mod fleet;
mod foreign;
mod foreign_broken;
mod foreign_facts;
mod foreign_readers;
mod harness;
mod interrupted;
mod istiod;
mod known;
mod lab;
mod manifests;
mod mesh;
mod pods;
mod readme;
mod reinstalled;
mod remote;
mod said;
mod secrets;
mod upgrade;
