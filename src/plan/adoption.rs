//! What taking an object over changes: the fields in which it is not what is meant, and those that its owner
//! has beside.

use super::difference::{Difference, differences, reason_of};
use super::ownership::ISTIOCTL_MANAGER;
use crate::inventory::Object;
use crate::inventory::kind::CUSTOM_RESOURCE_DEFINITION;

/// A field that istiods fill: whoever wrote it, it is left to them.
pub const LEFT_TO_ISTIOD: &str = "caBundle";

/// The fields that change where an object is taken over.
pub fn adopted_differences(desired: &Object, live: &Object) -> Vec<Difference> {
    let mut differing = differences(desired, live, ISTIOCTL_MANAGER);
    // Of others' definitions no more is read than that they stand.
    let unread = desired.is_of(CUSTOM_RESOURCE_DEFINITION) && live.at(&["spec"]).is_none();
    differing.retain(|difference| {
        let is_left = difference.desired.is_none() && difference.path.ends_with(LEFT_TO_ISTIOD);
        let is_unread = unread && difference.path == "spec";
        !is_left && !is_unread
    });
    differing
}

/// Why an object is written that becomes ours.
pub fn adoption_reason(desired: &Object, live: &Object, owner: &str) -> String {
    let mut differing = adopted_differences(desired, live);
    // The marks of the one and of the other.
    differing.retain(|difference| !difference.path.starts_with("metadata."));
    match differing.is_empty() {
        true => format!("taken over from {owner}"),
        false => format!("taken over from {owner}, and {}", reason_of(&differing)),
    }
}
