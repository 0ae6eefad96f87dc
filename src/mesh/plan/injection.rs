//! The namespaces that the fleet file leads to the revision beside the mesh's own. What a namespace asks for
//! is in its owner's labels; those that stood there before are written down in the namespace itself, and come
//! back when the fleet file no longer names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::waves::Waves;
use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{Area, Fleet};
use crate::inventory::control_plane::{INJECTION_LABEL, REVISION_LABEL};
use crate::inventory::{Object, ObjectReference, Presence, kind};
use crate::plan::draft::unread;
use crate::plan::{Action, Content, StepId, Warning};
use crate::words::some_of;

/// The annotation of a namespace that is led to another revision than it asked for: [`Led`] as JSON.
const LED_ANNOTATION: &str = "stolos.dev/led";

/// Where a namespace was led, and what it said before.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Led {
    /// The revision, `default` where it has no name.
    to: String,
    /// Its labels [`INJECTION_LABEL`] and [`REVISION_LABEL`], those of them that stood.
    from: BTreeMap<String, String>,
}

impl Led {
    /// What a namespace says of it, where it is led.
    fn of(namespace: &Object) -> Option<Self> {
        serde_json::from_str(namespace.annotation(LED_ANNOTATION)?).ok()
    }
}

/// What a namespace asks for, by its labels.
fn asked(namespace: &Object) -> BTreeMap<String, String> {
    let labels = [INJECTION_LABEL, REVISION_LABEL].into_iter();
    labels
        .filter_map(|label| Some((label.to_owned(), namespace.label(label)?.to_owned())))
        .collect()
}

fn asking_for(revision: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(REVISION_LABEL.to_owned(), revision.to_owned())])
}

/// What is to be done about a namespace.
#[derive(Debug, PartialEq, Eq)]
enum Leading {
    /// It asks for what it should.
    Stands,
    /// It is changed, for this reason.
    Changed(Value, String),
    /// It is left as it is, for this reason.
    Left(&'static str),
}

/// Leads a namespace to a revision.
fn lead(namespace: &Object, to: &str) -> Leading {
    let now = asked(namespace);
    if now == asking_for(to) {
        return Leading::Stands;
    }
    if now.is_empty() {
        return Leading::Left("asks for no sidecars, and is not led to any revision");
    }
    if now.get(INJECTION_LABEL).is_some_and(|asks| asks == "disabled") {
        return Leading::Left("asks for no sidecars to be injected, and is not led to any revision");
    }
    let before = Led::of(namespace).filter(|led| now == asking_for(&led.to));
    let from = before.map_or(now, |led| led.from);
    let reason = format!("it is led to {to}; its pods follow when they are made anew");
    let to = to.to_owned();
    let labels = asking_for(&to);
    Leading::Changed(changed(namespace, &labels, Some(&Led { to, from })), reason)
}

/// Gives a namespace back what it asked for before, unless somebody else has changed that since. What it
/// asked for may be no more.
fn give_back(namespace: &Object, fleet: &Fleet) -> Leading {
    if namespace.annotation(LED_ANNOTATION).is_none() {
        return Leading::Stands;
    }
    let now = asked(namespace);
    let led = Led::of(namespace).filter(|led| now == asking_for(&led.to));
    let Some(mut led) = led else {
        let reason = "what it asks for was changed since it was led".to_owned();
        return Leading::Changed(changed(namespace, &now, None), reason);
    };
    if let Some(revision) = led.from.get_mut(REVISION_LABEL)
        && !is_led(revision, fleet)
    {
        named_revision(&fleet.spec.mesh.revision).clone_into(revision);
    }
    let reason = format!(
        "it is no longer led to {}, and asks again for what it did",
        led.to
    );
    Leading::Changed(changed(namespace, &led.from, None), reason)
}

/// Whether namespaces that ask for a name are led somewhere.
fn is_led(name: &str, fleet: &Fleet) -> bool {
    let mesh = &fleet.spec.mesh;
    name == DEFAULT_REVISION || mesh.has_revision(name) || mesh.tags.contains_key(name)
}

/// The merge patch after which a namespace asks for this.
fn changed(namespace: &Object, labels: &BTreeMap<String, String>, led: Option<&Led>) -> Value {
    let mut changes = Map::new();
    for label in [INJECTION_LABEL, REVISION_LABEL] {
        let wanted = labels.get(label).map(String::as_str);
        if namespace.label(label) != wanted {
            changes.insert(label.to_owned(), json!(wanted));
        }
    }
    // A struct of texts can always be written.
    let led = led.map(|led| serde_json::to_string(led).unwrap_or_default());
    let mut metadata = json!({"annotations": {LED_ANNOTATION: led}});
    if !changes.is_empty() {
        metadata["labels"] = changes.into();
    }
    json!({"metadata": metadata})
}

/// The changes that give a namespace back what it asked for before it was led, and why; none where it never was.
pub fn given_back(namespace: &Object, fleet: &Fleet) -> Option<(Value, String)> {
    match give_back(namespace, fleet) {
        Leading::Changed(changes, reason) => Some((changes, reason)),
        Leading::Stands | Leading::Left(_) => None,
    }
}

impl Waves<'_> {
    /// Leads namespaces to the revision beside the mesh's own, and gives back what those asked for that are no
    /// longer led: after what injects for the one and for the other.
    pub(super) fn injection(&mut self, own: &[StepId], beside: &[StepId]) {
        let other = self.fleet.spec.mesh.other_revision.as_ref();
        let (to, named) = other.map_or(("", &[][..]), |other| {
            (named_revision(&other.revision), &other.namespaces[..])
        });
        for name in named {
            let reference = kind::NAMESPACE.reference("", name.as_str());
            if matches!(self.seen.presence(&reference), Presence::Unknown) {
                let reason = format!("whether {reference} stands could not be read");
                let blocked = unread(&self.cluster.name, Area::Mesh, self.seen, &reference, &reason);
                self.draft.plan.blocked.push(blocked);
            }
        }
        for namespace in self.seen.of_kind(kind::NAMESPACE) {
            let is_named = named.iter().any(|name| name.as_str() == namespace.name());
            let (leading, needs) = match is_named {
                true => (lead(namespace, to), beside),
                false => (give_back(namespace, self.fleet), own),
            };
            match leading {
                Leading::Stands => {}
                Leading::Changed(changes, reason) => {
                    let content = Content::Merge(changes);
                    self.draft
                        .step(Action::Update, namespace.reference(), reason, needs, content);
                }
                Leading::Left(why) => self.draft.plan.warnings.push(Warning {
                    cluster: self.cluster.name.clone(),
                    message: format!("{} {why}", namespace.reference()),
                }),
            }
        }
    }
}

impl Waves<'_> {
    /// Says which namespaces ask for an injector that goes, and are not changed: what is made in them from then
    /// on has no sidecar.
    pub(super) fn warn_who_asks(&mut self, revision: &str) {
        let changed: Vec<&ObjectReference> = self.draft.plan.steps.iter().map(|step| &step.object).collect();
        let asking = self.seen.of_kind(kind::NAMESPACE).filter(|namespace| {
            asked(namespace) == asking_for(revision) && !changed.contains(&&namespace.reference())
        });
        let asking: Vec<&str> = asking.map(Object::name).collect();
        if asking.is_empty() {
            return;
        }
        self.draft.plan.warnings.push(Warning {
            cluster: self.cluster.name.clone(),
            message: format!(
                "namespaces that ask for {revision}, which goes, get no sidecars any more: {}",
                some_of(asking.into_iter())
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(labels: &Value, annotations: &Value) -> Object {
        Object(json!({"apiVersion": "v1", "kind": "Namespace",
                      "metadata": {"name": "shop", "labels": labels, "annotations": annotations}}))
    }

    fn fleet(mesh: &str) -> Fleet {
        let text = format!(
            "{{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {{name: prod}},
               spec: {{clusters: [{{name: east}}], mesh: {mesh}}}}}"
        );
        crate::yaml::from_str(&text).unwrap()
    }

    /// The namespace after a change, as the server makes it.
    fn after(namespace: &Object, leading: Leading) -> Object {
        let Leading::Changed(patch, _) = leading else {
            panic!("{leading:?}");
        };
        let mut after = namespace.clone();
        for field in ["labels", "annotations"] {
            let changes = patch["metadata"].get(field).and_then(Value::as_object);
            for (key, value) in changes.into_iter().flatten() {
                let fields = after.0["metadata"][field].as_object_mut().unwrap();
                match value {
                    Value::Null => fields.remove(key),
                    value => fields.insert(key.clone(), value.clone()),
                };
            }
        }
        after
    }

    #[test]
    fn what_a_namespace_asked_for_comes_back() {
        let beside = fleet("{tags: {prod: default}, otherRevision: {revision: new}}");
        for labels in [
            json!({"istio-injection": "enabled", "team": "shop"}),
            json!({"istio.io/rev": "default"}),
            json!({"istio.io/rev": "prod", "istio-injection": "enabled"}),
        ] {
            let before = namespace(&labels, &json!({"owner": "shop"}));
            let led = after(&before, lead(&before, "new"));
            assert_eq!(asked(&led), asking_for("new"));
            assert_eq!(lead(&led, "new"), Leading::Stands);
            assert_eq!(after(&led, give_back(&led, &beside)), before);
            // By way of a third one.
            let further = after(&led, lead(&led, "newer"));
            assert_eq!(asked(&further), asking_for("newer"));
            assert_eq!(after(&further, give_back(&further, &beside)), before);
        }
    }

    #[test]
    fn a_revision_that_is_gone_does_not_come_back() {
        let before = namespace(&json!({"istio.io/rev": "old"}), &json!({}));
        let led = after(&before, lead(&before, "new"));
        let finished = fleet("{revision: new}");
        assert_eq!(asked(&after(&led, give_back(&led, &finished))), asking_for("new"));
    }

    #[test]
    fn what_somebody_else_changed_since_stays() {
        let beside = fleet("{otherRevision: {revision: new}}");
        let before = namespace(&json!({"istio-injection": "enabled"}), &json!({}));
        let mut led = after(&before, lead(&before, "new"));
        led.set_label(REVISION_LABEL, "mine");
        let left = after(&led, give_back(&led, &beside));
        assert_eq!(asked(&left), asking_for("mine"));
        assert_eq!(left.annotation(LED_ANNOTATION), None);
        assert_eq!(give_back(&left, &beside), Leading::Stands);
        let unread = namespace(&json!({}), &json!({LED_ANNOTATION: "not what we wrote"}));
        assert_eq!(
            after(&unread, give_back(&unread, &beside)),
            namespace(&json!({}), &json!({}))
        );
    }

    #[test]
    fn who_asks_for_no_sidecars_is_not_led() {
        for labels in [json!({}), json!({"istio-injection": "disabled"})] {
            let namespace = namespace(&labels, &json!({}));
            assert!(matches!(lead(&namespace, "new"), Leading::Left(_)), "{labels}");
        }
    }
}
