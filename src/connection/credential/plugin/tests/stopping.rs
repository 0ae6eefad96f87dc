//! Nothing goes on that is no longer wanted, and nothing that a plugin was given or said is repeated.

use super::*;

/// Starts a program of its own that outlives everybody, notes its number, and waits for it.
const HANG: &str = "sleep 600 & echo $! > sleeper; wait";

/// Whether a process is there and has not ended.
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(!stat.rsplit_once(')')?.1.trim_start().starts_with('Z')))
        .unwrap_or(false)
}

async fn sleeper(folder: &Folder) -> String {
    for _ in 0..1000 {
        if let [pid] = &folder.lines("sleeper")[..]
            && !pid.is_empty()
        {
            return pid.clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the plugin did not start");
}

async fn ends(pid: &str) {
    for _ in 0..500 {
        if !lives(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the process {pid} that the plugin started goes on");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn at_the_timeout_a_plugin_ends_with_all_that_it_started() {
    // With a group of its own, and in the terminal's.
    futures::future::join_all([false, true].map(async |can_ask| {
        let folder = Folder::new();
        let plugins = Plugins::new(PluginOptions {
            timeout: Duration::from_secs(4),
            interactive_timeout: Duration::from_secs(4),
            can_ask,
            ..options()
        });
        let plugin = folder
            .plugin("hanging", HANG)
            .with("", InteractiveMode::IfAvailable);
        let failure = ask(&plugins, &plugin)
            .await
            .expect_err("it gives nothing in time");
        assert!(
            failure.contains("`hanging` gave nothing within 4s") && failure.ends_with("(timeout)"),
            "{failure}"
        );
        ends(&sleeper(&folder).await).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn at_the_end_of_the_session_nothing_goes_on() {
    let folder = Folder::new();
    let plugins = Plugins::new(options());
    let plugin = folder.plugin("hanging", HANG);
    let waiting = tokio::time::timeout(Duration::from_millis(1), ask(&plugins, &plugin)).await;
    assert!(waiting.is_err());
    let pid = sleeper(&folder).await;
    assert!(lives(&pid));
    drop(plugins);
    ends(&pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_gives_up_does_not_end_the_run_for_others() {
    let folder = Folder::new();
    let plugins = Plugins::new(options());
    let plugin = folder.plugin("slow", "while [ ! -e go ]; do sleep 0.02; done; give t");
    let waiting = tokio::time::timeout(Duration::from_millis(1), ask(&plugins, &plugin)).await;
    assert!(waiting.is_err());
    write(&folder.path("go"), "");
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t"));
    assert_eq!(folder.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn a_program_that_a_plugin_leaves_behind_is_neither_waited_for_nor_ended() {
    let folder = Folder::new();
    let plugin = folder.plugin("forking", "sleep 600 & echo $! > sleeper; give t");
    let plugins = Plugins::new(options());
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t"));
    drop(plugins);
    let pid = sleeper(&folder).await;
    assert!(lives(&pid));
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("it is a number"), rustix::process::Signal::KILL)
        .expect("the test's own process can be ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_without_end_is_cut_off() {
    let folder = Folder::new();
    let plugin = folder.plugin("endless", "exec cat /dev/zero");
    let failure = ask(&Plugins::new(options()), &plugin)
        .await
        .expect_err("it gives no credential");
    assert!(
        failure.contains("`endless` printed more than any credential is long"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_there_is_said_so_with_the_hint() {
    let mut plugin = Folder::new().plugin("gone", "");
    plugin.install_hint = "\u{1b}[1mbrew install gone\u{1b}[0m\nand log in".to_owned();
    let failure = ask(&Plugins::new(options()), &plugin)
        .await
        .expect_err("it is gone");
    assert!(
        failure.contains("`gone` was not found; the kubeconfig says: brew install gone and log in"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_allowed_does_not_run() {
    let folder = Folder::new();
    let plugin = folder.plugin("plugin", "give t");
    let other = folder
        .path("other")
        .to_str()
        .expect("the path is text")
        .to_owned();
    for policy in [Policy::None, Policy::Commands(vec!["plugin".to_owned(), other])] {
        let plugins = Plugins::new(PluginOptions { policy, ..options() });
        let failure = ask(&plugins, &plugin).await.expect_err("it is not allowed");
        assert!(
            failure.contains("`plugin` may not run; allow it with --exec-plugins"),
            "{failure}"
        );
    }
    assert!(folder.runs().is_empty());
    let policy = Policy::Commands(vec![plugin.command.clone()]);
    let plugins = Plugins::new(PluginOptions { policy, ..options() });
    assert_eq!(ask(&plugins, &plugin).await.as_deref(), Ok("Bearer t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_plugin_is_given_or_says_is_repeated() {
    const CANARY: &str = "canary";
    let say = "echo canary-error >&2; printf 'canary-output %s %s' \"$1\" \"$SECRET\";";
    let give = |status: &str| {
        format!(
            "echo canary-error >&2; printf '%s' '{{\"kind\":\"ExecCredential\",\"apiVersion\":\
             \"client.authentication.k8s.io/v1\",\"status\":{status}}}'"
        )
    };
    let bodies = [
        format!("{say} exit 1"),
        format!("{say} kill -9 $$"),
        format!("{say} exit 0"),
        format!("{say} exec sleep 600"),
        format!("{say} exec cat /dev/zero"),
        give("{\"token\": [\"canary-token\"]}"),
        give("{\"token\": \"canary-token\\n\"}"),
        give("{\"token\": \"t\", \"expirationTimestamp\": \"canary-time\"}"),
        give("{\"clientCertificateData\": \"canary-certificate\"}"),
        give("{\"clientCertificateData\": \"canary-certificate\", \"clientKeyData\": \"canary-key\"}"),
        give("\"canary-status\""),
        "printf 'kind: ExecCredential\\nstatus: {token: [canary-token'".to_owned(),
        "printf '{\"kind\": \"canary-kind\", \"apiVersion\": \"canary-version\"}'".to_owned(),
        "printf '\\377\\376canary'".to_owned(),
        String::new(),
    ];
    for (number, body) in bodies.iter().enumerate() {
        for mode in [InteractiveMode::Never, InteractiveMode::IfAvailable] {
            let folder = Folder::new();
            let mut plugin = folder.plugin("leaky", body).with("canary-argument", mode);
            let secret = Sensitive::new("canary-variable");
            plugin.environment.push(("SECRET".to_owned(), secret));
            let mut cluster = protocol::cluster();
            cluster.config = json!({"secret": "canary-config"});
            plugin.cluster = Some(cluster);
            let plugins = Plugins::new(PluginOptions {
                timeout: Duration::from_secs(2),
                ..options()
            });
            let failure = credential(&plugins, &plugin)
                .authorization(tokio::time::Instant::now())
                .await
                .map(|_| ())
                .expect_err("it gives no credential");
            for text in [failure.to_string(), format!("{failure:?}")] {
                assert!(
                    text.contains("`leaky`") && !text.contains(CANARY),
                    "{number}: {text}"
                );
            }
        }
    }
}
