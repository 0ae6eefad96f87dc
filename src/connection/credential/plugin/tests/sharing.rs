//! How often plugins run, and at the same time as which.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use super::*;

/// Waits until the given number of runs have begun: it ends only where they run at the same time.
const MEET: &str = r#"meet() { while [ "$(wc -l < runs)" -lt "$1" ]; do sleep 0.02; done; }"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_runs_once_for_all_who_ask_at_any_time() {
    let folder = Folder::new();
    let plugin = folder.plugin("once", "give t-1");
    let plugins = Plugins::new(options());
    let asked = join_all((0..200).map(|_| ask(&plugins, &plugin))).await;
    assert!(asked.iter().all(|token| token.as_deref() == Ok("Bearer t-1")));
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-1"));
    assert_eq!(folder.runs(), ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_are_given_other_things_run_for_themselves() {
    let folder = Folder::new();
    let plugins = Plugins::new(options());
    let plain = folder.plugin("plain", "give \"t-$1-$WHO\"");
    let argument = plain.clone().with("a", InteractiveMode::Never);
    let mut variable = plain.clone();
    variable.environment.push(("WHO".to_owned(), Sensitive::new("b")));
    let mut told = plain.clone();
    told.cluster = Some(protocol::cluster());
    for (plugin, token) in [
        (&plain, "t--"),
        (&argument, "t-a-"),
        (&variable, "t--b"),
        (&told, "t--"),
    ] {
        assert_eq!(ask(&plugins, plugin).await, Ok(format!("Bearer {token}")));
    }
    assert_eq!(folder.runs().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_contexts_on_five_commands_are_five_runs_at_the_same_time() {
    for mode in [InteractiveMode::Never, InteractiveMode::IfAvailable] {
        let folder = Folder::new();
        let plugins = Plugins::new(options());
        let five: Vec<Plugin> = (0..5)
            .map(|number| folder.plugin(&format!("p{number}"), &format!("{MEET}\nmeet 5; give t-{number}")))
            .map(|plugin| plugin.with("", mode))
            .collect();
        let asked = join_all((0..50).map(|context| ask(&plugins, &five[context % 5]))).await;
        for (context, token) in asked.into_iter().enumerate() {
            assert_eq!(token, Ok(format!("Bearer t-{}", context % 5)));
        }
        assert_eq!(folder.runs().len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_plugins_that_share_a_command_one_logs_in_and_the_rest_follow_together() {
    let folder = Folder::new();
    let plugins = Plugins::new(options());
    // The login takes a while; whoever comes before it is done fails. The others meet.
    let body = format!(
        "{MEET}\nif mkdir login; then sleep 0.3; touch login/done; else [ -e login/done ] || exit 7; meet 6; fi; \
         give \"t-$1\""
    );
    let plugin = folder.plugin("sso", &body);
    let six: Vec<Plugin> = (0..6)
        .map(|number| {
            plugin
                .clone()
                .with(&number.to_string(), InteractiveMode::IfAvailable)
        })
        .collect();
    let asked = join_all(six.iter().map(|plugin| ask(&plugins, plugin))).await;
    for (number, token) in asked.into_iter().enumerate() {
        assert_eq!(token, Ok(format!("Bearer t-{number}")));
    }
    assert_eq!(folder.runs().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_plugin_that_fails_does_not_spoil_the_others_of_its_command() {
    let folder = Folder::new();
    let plugins = Plugins::new(options());
    let plugin = folder.plugin("sso", "mkdir first && exit 9; give \"t-$1\"");
    let four: Vec<Plugin> = (0..4)
        .map(|number| {
            plugin
                .clone()
                .with(&number.to_string(), InteractiveMode::IfAvailable)
        })
        .collect();
    let asked = join_all(four.iter().map(|plugin| ask(&plugins, plugin))).await;
    assert_eq!(asked.iter().filter(|token| token.is_err()).count(), 1);
    assert_eq!(folder.runs().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_shared_and_not_tried_again() {
    let folder = Folder::new();
    let plugin = folder.plugin("broken", "exit 3");
    let plugins = Plugins::new(options());
    let mut asked = join_all((0..100).map(|_| ask(&plugins, &plugin))).await;
    asked.push(ask(&plugins, &plugin).await);
    let failure = "connect the cluster: the credential plugin `broken` ended with exit code 3; kubectl with the same \
                   context shows its own words (authentication)";
    assert!(
        asked
            .iter()
            .all(|token| token.as_ref().is_err_and(|text| text == failure))
    );
    assert_eq!(folder.runs(), ["broken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_kept_until_it_expires() {
    let folder = Folder::new();
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let plugin = folder.answering(&issued(&json!({"token": "t-1", "expirationTimestamp": soon})));
    let plugins = Plugins::new(options());
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-1"));
    folder.answer(&issued(
        &json!({"token": "t-2", "expirationTimestamp": "2999-01-01T00:00:00Z"}),
    ));
    while Timestamp::now() <= soon {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-2"));
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-2"));
    assert_eq!(folder.runs().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_when_it_comes_is_for_the_server_to_judge() {
    let folder = Folder::new();
    let plugin = folder.answering(&issued(
        &json!({"token": "t-1", "expirationTimestamp": "2020-01-01T00:00:00Z"}),
    ));
    let plugins = Plugins::new(options());
    for _ in 0..3 {
        assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-1"));
    }
    assert_eq!(folder.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refused_is_had_anew_once_for_all() {
    let folder = Folder::new();
    let plugin = folder.answering(&issued(&json!({"token": "t-1"})));
    let plugins = Plugins::new(options());
    let contexts: Vec<Credential> = (0..10).map(|_| credential(&plugins, &plugin)).collect();
    let shown = join_all(contexts.iter().map(|one| one.authorization(Instant::now()))).await;
    folder.answer(&issued(&json!({"token": "t-2"})));
    let again = join_all(contexts.iter().zip(&shown).map(async |(one, shown)| {
        let shown = shown.as_ref().expect("the plugin gives a token");
        assert!(one.refused(shown).await);
        one.authorization(Instant::now())
            .await
            .expect("the plugin gives another")
    }))
    .await;
    assert!(again.iter().all(|given| token(given) == "Bearer t-2"));
    assert_eq!(folder.runs().len(), 2);
    // One who was slow to be refused is told that there is another by now.
    let slow = shown[0].as_ref().expect("the plugin gave a token");
    assert!(contexts[0].refused(slow).await);
    // The second is refused as well: that is final, and no run.
    assert!(!contexts[0].refused(&again[0]).await);
    assert!(!contexts[1].refused(&again[1]).await);
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-2"));
    assert_eq!(folder.runs().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_refused_still_serves_others_where_there_is_no_other() {
    let folder = Folder::new();
    let plugin = folder.answering(&issued(&json!({"token": "t-1"})));
    let plugins = Plugins::new(options());
    let one = credential(&plugins, &plugin);
    let shown = one
        .authorization(Instant::now())
        .await
        .expect("the plugin gives a token");
    folder.answer(&json!({}));
    assert!(one.refused(&shown).await);
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t-1"));
    assert!(!one.refused(&shown).await);
    assert_eq!(folder.runs().len(), 2);
}
