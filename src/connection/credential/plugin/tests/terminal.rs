//! Who may ask on the terminal. Standard input is the test's own; no plugin here reads it.

use futures::future::join_all;

use super::*;

/// Notes whether the plugin has been told that it may ask.
const NOTE: &str = r#"case "$KUBERNETES_EXEC_INFO" in
*'"interactive":true'*) asks=yes ;;
*'"interactive":false'*) asks=no ;;
esac
echo "$asks" >> asks"#;

fn at_a_terminal() -> PluginOptions {
    PluginOptions {
        can_ask: true,
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_ask_is_said_as_kubectl_says_it() {
    for (mode, can_ask, asks) in [
        (InteractiveMode::Never, true, "no"),
        (InteractiveMode::IfAvailable, true, "yes"),
        (InteractiveMode::IfAvailable, false, "no"),
        (InteractiveMode::Always, true, "yes"),
    ] {
        let folder = Folder::new();
        let plugins = Plugins::new(PluginOptions { can_ask, ..options() });
        let plugin = folder.plugin("plugin", &format!("{NOTE}\ngive t")).with("", mode);
        assert_eq!(
            ask(&plugins, &plugin).await.as_deref(),
            Ok("Bearer t"),
            "{mode:?} {can_ask}"
        );
        assert_eq!(folder.lines("asks"), [asks], "{mode:?} {can_ask}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_must_ask_does_not_run_where_nobody_can_answer() {
    let folder = Folder::new();
    let plugin = folder
        .plugin("asking", "give t")
        .with("", InteractiveMode::Always);
    let failure = ask(&Plugins::new(options()), &plugin)
        .await
        .expect_err("nobody can answer");
    assert!(
        failure.contains("`asking` asks for what it needs") && failure.contains("no terminal"),
        "{failure}"
    );
    assert!(folder.runs().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_has_the_terminal_and_those_of_other_commands_do_without() {
    let folder = Folder::new();
    let plugins = Plugins::new(at_a_terminal());
    let meet = "while [ \"$(wc -l < runs)\" -lt 3 ]; do sleep 0.02; done";
    let three: Vec<Plugin> = (0..3)
        .map(|number| folder.plugin(&format!("p{number}"), &format!("{NOTE}\n{meet}\ngive t")))
        .map(|plugin| plugin.with("", InteractiveMode::IfAvailable))
        .collect();
    let asked = join_all(three.iter().map(|plugin| ask(&plugins, plugin))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    let mut asks = folder.lines("asks");
    asks.sort();
    assert_eq!(asks, ["no", "no", "yes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_do_without_the_terminal_gets_it_in_its_turn() {
    let folder = Folder::new();
    let plugins = Plugins::new(at_a_terminal());
    // Alone on the terminal: a second one there would find the folder.
    let body = format!(
        "{NOTE}\n[ $asks = yes ] || exit 1\nmkdir alone || exit 2; sleep 0.1; rmdir alone; give \"t-$1\""
    );
    let plugin = folder.plugin("mfa", &body);
    let four: Vec<Plugin> = (0..4)
        .map(|number| {
            plugin
                .clone()
                .with(&number.to_string(), InteractiveMode::IfAvailable)
        })
        .collect();
    let asked = join_all(four.iter().map(|plugin| ask(&plugins, plugin))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    // The first asks at once, each of the others tries in silence before it asks.
    assert_eq!(folder.runs().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_failed_is_not_asked_for_again() {
    let folder = Folder::new();
    let plugins = Plugins::new(at_a_terminal());
    let plugin = folder.plugin("declined", &format!("{NOTE}\nexit 1"));
    let four: Vec<Plugin> = (0..4)
        .map(|number| {
            plugin
                .clone()
                .with(&number.to_string(), InteractiveMode::IfAvailable)
        })
        .collect();
    let asked = join_all(four.iter().map(|plugin| ask(&plugins, plugin))).await;
    assert!(asked.iter().all(Result::is_err), "{asked:?}");
    assert_eq!(folder.lines("asks"), ["yes", "no", "no", "no"]);
}
