//! Istio's definitions, which go only when that is asked for: with each goes every resource of its kind.

use super::Choice;
use super::going::{Going, counted};
use crate::inventory::{Object, ObjectReference, kind};
use crate::words::some_of;

/// Definitions that go.
#[derive(Default)]
pub(super) struct Definitions {
    pub definitions: Vec<Object>,
    /// What goes with them that is not the fleet's.
    pub lost: Vec<String>,
}

impl Going<'_> {
    /// The definitions that go, and what goes with them that is not the fleet's; why they cannot, and what
    /// to do about it, where that is not consented to.
    pub(super) fn definitions(&self, choice: Choice) -> Result<Definitions, (String, &'static str)> {
        if !choice.definitions {
            return Ok(Definitions::default());
        }
        let definitions: Vec<Object> = self.our_definitions().cloned().collect();
        let kind = kind::CUSTOM_RESOURCE_DEFINITION;
        if !self.seen.was_listed(kind.api_version, kind.kind, "") {
            return Err((
                "which of Istio's definitions are the fleet's could not be read".to_owned(),
                "use a context that may list them, or leave --crds out",
            ));
        }
        if let Some(istiod) = self.another_control_plane() {
            return Err((
                format!(
                    "Istio's definitions are {}'s as well, which stays",
                    istiod.reference()
                ),
                "leave --crds out",
            ));
        }
        let Some(resources) = &self.seen.custom_resources else {
            return Err((
                "which resources would go with Istio's definitions could not be read".to_owned(),
                "use a context that may list them, or leave --crds out",
            ));
        };
        let ours: Vec<ObjectReference> = self.ours().iter().map(Object::reference).collect();
        // A definition's versions differ; its group and kind do not.
        let same = |one: &ObjectReference, other: &ObjectReference| {
            (one.group(), &one.kind, &one.namespace, &one.name)
                == (other.group(), &other.kind, &other.namespace, &other.name)
        };
        let lost: Vec<String> = resources
            .iter()
            .filter(|resource| !ours.iter().any(|own| same(own, resource)))
            .map(ToString::to_string)
            .collect();
        match lost.is_empty() || choice.allow_loss {
            true => Ok(Definitions { definitions, lost }),
            false => Err((
                format!(
                    "with Istio's definitions would go {}: {}",
                    counted(lost.len(), "resource"),
                    some_of(lost.iter().map(String::as_str))
                ),
                "save them, and add --yes to lose them, or leave --crds out",
            )),
        }
    }

    pub(super) fn our_definitions(&self) -> impl Iterator<Item = &Object> {
        self.seen
            .of_kind(kind::CUSTOM_RESOURCE_DEFINITION)
            .filter(|object| self.is_ours(object))
    }
}
