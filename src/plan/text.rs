//! A plan as people read it before they consent: one line a step, by cluster, in the plan's order.
//! The golden tests compare these lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Action, Blocked, Plan, Step, changes};
use crate::fleet::ClusterName;
use crate::inventory::Inventory;

/// The plan as text. Clusters stand in the order in which the plan first names them, and each
/// line begins with a mark:
///
/// ```text
/// east
///   + trust create Secret istio-system/cacerts: the cluster has no intermediate (after west)
///   ~ mesh  update Deployment istio-system/istiod: image (disruptive, also written by kubectl)
///   - links delete Secret istio-system/istio-remote-secret-old: no cluster of the fleet
///   … mesh  wait   Deployment istio-system/istiod: until it is rolled out
///   > trust run    Root prod: there is none
///   ! links blocked: nothing answers
///           hint: see whether it runs
///   ? the kubeconfig gives a loopback address
/// Plan: 1 to create, 1 to update, 1 to delete, 1 to run, 1 to wait for, 1 blocked.
/// ```
///
/// Where more than [`FOLDED`] objects are created, updated or awaited for one reason, they share a
/// line that counts them by kind; [`every_step`] has them all. What is deleted is always named.
pub fn text(plan: &Plan) -> String {
    lines(plan, true, |_| Vec::new())
}

/// The plan as text, with a line for every single step.
pub fn every_step(plan: &Plan) -> String {
    lines(plan, false, |_| Vec::new())
}

/// The plan as text, with what each step changes below it.
pub fn every_change(plan: &Plan, inventory: &Inventory) -> String {
    lines(plan, false, |step| changes::lines(step, inventory))
}

/// How many steps of one reason still have a line each.
const FOLDED: usize = 3;

fn lines(plan: &Plan, fold: bool, below: impl Fn(&Step) -> Vec<String>) -> String {
    let cluster_of: BTreeMap<_, _> = plan.steps.iter().map(|step| (&step.id, &step.cluster)).collect();
    let mut text = String::new();
    for cluster in clusters(plan) {
        line(&mut text, format_args!("{cluster}"));
        let own: Vec<&Step> = plan
            .steps
            .iter()
            .filter(|step| step.cluster == *cluster)
            .collect();
        let mut said: Vec<&Step> = Vec::new();
        for step in &own {
            if said.iter().any(|other| alike(step, other)) {
                continue;
            }
            let group: Vec<&Step> = own.iter().copied().filter(|other| alike(step, other)).collect();
            if fold && group.len() > FOLDED && step.action != Action::Delete {
                said.push(step);
                line(&mut text, format_args!("  {}", group_line(&group)));
                continue;
            }
            let mut others: Vec<&str> = Vec::new();
            for needed in step.needs.iter().filter_map(|need| cluster_of.get(need)) {
                if *needed != cluster && !others.contains(&needed.as_str()) {
                    others.push(needed.as_str());
                }
            }
            line(&mut text, format_args!("  {}", step_line(step, &others)));
            for detail in below(step) {
                line(&mut text, format_args!("      {detail}"));
            }
        }
        for blocked in plan.blocked.iter().filter(|blocked| blocked.cluster == *cluster) {
            blocked_lines(&mut text, blocked);
        }
        for warning in plan.warnings.iter().filter(|warning| warning.cluster == *cluster) {
            line(&mut text, format_args!("  ? {}", warning.message));
        }
    }
    line(&mut text, format_args!("{}", summary(plan)));
    text
}

/// Whether two steps can share a line.
fn alike(one: &Step, other: &Step) -> bool {
    one.action == other.action
        && one.area == other.area
        && one.reason == other.reason
        && one.disruptive == other.disruptive
        && one.owner == other.owner
}

fn group_line(group: &[&Step]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for step in group {
        match kinds.iter_mut().find(|(kind, _)| *kind == step.object.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((&step.object.kind, 1)),
        }
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let first = group[0];
    format!(
        "{} {:<5} {:<6} {}: {}",
        mark(first.action),
        first.area.as_str(),
        first.action.as_str(),
        kinds.join(", "),
        first.reason
    )
}

fn mark(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
        Action::Wait => '…',
        Action::Run => '>',
    }
}

/// The plan in one line.
pub fn summary(plan: &Plan) -> String {
    let count = |action| plan.steps.iter().filter(|step| step.action == action).count();
    let mut parts: Vec<String> = [
        (count(Action::Create), "to create"),
        (count(Action::Update), "to update"),
        (count(Action::Delete), "to delete"),
        (count(Action::Run), "to run"),
        (count(Action::Wait), "to wait for"),
        (plan.blocked.len(), "blocked"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let disruptive = plan.steps.iter().filter(|step| step.disruptive).count();
    if disruptive > 0 {
        parts.push(format!("{disruptive} of them disruptive"));
    }
    if parts.is_empty() {
        "Nothing to do.".to_owned()
    } else {
        format!("Plan: {}.", parts.join(", "))
    }
}

/// One step without its cluster, such as `+ trust create Secret istio-system/cacerts: …`.
/// `others` are the clusters in which something is done before.
pub fn step_line(step: &Step, others: &[&str]) -> String {
    let mark = mark(step.action);
    let mut remarks = Vec::new();
    if step.disruptive {
        remarks.push("disruptive".to_owned());
    }
    if let Some(owner) = &step.owner {
        remarks.push(format!("also written by {owner}"));
    }
    if !others.is_empty() {
        remarks.push(format!("after {}", others.join(" and ")));
    }
    let remarks = if remarks.is_empty() {
        String::new()
    } else {
        format!(" ({})", remarks.join(", "))
    };
    let (area, action) = (step.area.as_str(), step.action.as_str());
    format!(
        "{mark} {area:<5} {action:<6} {}: {}{remarks}",
        step.object, step.reason
    )
}

fn blocked_lines(text: &mut String, blocked: &Blocked) {
    let area = blocked.area.as_str();
    line(text, format_args!("  ! {area:<5} blocked: {}", blocked.reason));
    if let Some(hint) = &blocked.hint {
        line(text, format_args!("          hint: {hint}"));
    }
}

fn clusters(plan: &Plan) -> Vec<&ClusterName> {
    let mut clusters = Vec::new();
    let named = (plan.steps.iter().map(|step| &step.cluster))
        .chain(plan.blocked.iter().map(|blocked| &blocked.cluster))
        .chain(plan.warnings.iter().map(|warning| &warning.cluster));
    for cluster in named {
        if !clusters.contains(&cluster) {
            clusters.push(cluster);
        }
    }
    clusters
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Area;
    use crate::inventory::ObjectReference;
    use crate::plan::{Content, StepId, Warning};

    fn step(cluster: &str, action: Action, needs: &[&Step]) -> Step {
        let cluster: ClusterName = cluster.parse().unwrap();
        let object = ObjectReference::new("v1", "Secret", "istio-system", "cacerts");
        Step {
            id: StepId::of(&cluster, Area::Trust, action, &object),
            cluster,
            area: Area::Trust,
            action,
            object,
            reason: "why".to_owned(),
            needs: needs.iter().map(|step| step.id.clone()).collect(),
            disruptive: action == Action::Update,
            uid: String::new(),
            owner: (action == Action::Update).then(|| "kubectl".to_owned()),
            adopts: false,
            content: Content::MakeRoot,
        }
    }

    #[test]
    fn a_plan_reads_by_cluster() {
        let first = step("west", Action::Create, &[]);
        let second = step("east", Action::Update, &[&first]);
        let third = step("west", Action::Wait, &[&first]);
        let east: ClusterName = "east".parse().unwrap();
        let plan = Plan {
            steps: vec![first, second, third],
            blocked: vec![Blocked {
                cluster: east.clone(),
                area: Area::Links,
                reason: "nothing answers".to_owned(),
                hint: Some("see whether it runs".to_owned()),
                unreachable: true,
            }],
            warnings: vec![Warning {
                cluster: east,
                message: "a loopback address".to_owned(),
            }],
        };
        assert_eq!(
            text(&plan),
            "west\n\
            \x20 + trust create Secret istio-system/cacerts: why\n\
            \x20 … trust wait   Secret istio-system/cacerts: why\n\
            east\n\
            \x20 ~ trust update Secret istio-system/cacerts: why (disruptive, also written by kubectl, after west)\n\
            \x20 ! links blocked: nothing answers\n\
            \x20         hint: see whether it runs\n\
            \x20 ? a loopback address\n\
            Plan: 1 to create, 1 to update, 1 to wait for, 1 blocked, 1 of them disruptive.\n"
        );
        assert_eq!(text(&Plan::default()), "Nothing to do.\n");
    }
}
