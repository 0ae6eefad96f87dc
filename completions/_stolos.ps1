
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'stolos' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'stolos'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'stolos' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('contexts', 'contexts', [CompletionResultType]::ParameterValue, 'List the contexts of the kubeconfigs, as kubectl would read them')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a fleet file from kubeconfig contexts')
            [CompletionResult]::new('join', 'join', [CompletionResultType]::ParameterValue, 'Add contexts to the fleet file, and show the difference')
            [CompletionResult]::new('leave', 'leave', [CompletionResultType]::ParameterValue, 'Unlink clusters from all others, then take out what the fleet put there')
            [CompletionResult]::new('clusters', 'clusters', [CompletionResultType]::ParameterValue, 'List the clusters of the fleet file')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Show what `apply` would do, and change nothing')
            [CompletionResult]::new('apply', 'apply', [CompletionResultType]::ParameterValue, 'Make the clusters what the fleet file says: trust, mesh and links')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Report the true state of the mesh, read-only, with or without a fleet file')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a finding by its code; without a code, list them all')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Manage the root of trust and each cluster''s intermediate')
            [CompletionResult]::new('mesh', 'mesh', [CompletionResultType]::ParameterValue, 'Manage Istio itself in the fleet''s clusters')
            [CompletionResult]::new('link', 'link', [CompletionResultType]::ParameterValue, 'Manage the links by which each istiod reads the other clusters (Istio''s remote secrets)')
            [CompletionResult]::new('lab', 'lab', [CompletionResultType]::ParameterValue, 'Manage throwaway clusters with real control planes on this machine (Linux)')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page, or write all of them')
            break
        }
        'stolos;contexts' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Ask each context''s cluster who it is (runs credential plugins)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;init' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The fleet''s name; default: the folder''s')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'The deployment model: `multi-primary`, which this version installs; `primary-remote` and `external-control-plane` are only described')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--from-mesh', '--from-mesh', [CompletionResultType]::ParameterName, 'Describe the mesh that already runs over the contexts, whoever made it')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'stolos;join' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The cluster''s name in the fleet; for one context')
            [CompletionResult]::new('--network', '--network', [CompletionResultType]::ParameterName, 'The network that the clusters'' pods are in; default: one each, by the cluster''s name')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the difference and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'stolos;leave' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time for the whole command (`90s`, `10m`)')
            [CompletionResult]::new('--change-ref', '--change-ref', [CompletionResultType]::ParameterName, 'A reference for the journal, such as a ticket''s number')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--keep-mesh', '--keep-mesh', [CompletionResultType]::ParameterName, 'Only unlink: the mesh and its trust stay')
            [CompletionResult]::new('--forget', '--forget', [CompletionResultType]::ParameterName, 'Take clusters that do not answer out of the fleet file, as they are')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--allow-disruption', '--allow-disruption', [CompletionResultType]::ParameterName, 'Consent to steps that can interrupt what serves now, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;clusters' {
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;plan' {
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Plan only for this cluster of the fleet; can be repeated (reading stays fleet-wide)')
            [CompletionResult]::new('--istioctl', '--istioctl', [CompletionResultType]::ParameterName, 'The istioctl that renders Istio; default: `STOLOS_ISTIOCTL`, else the one in the PATH')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'Exit with 3 where there is something to do')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;apply' {
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time for the whole command (`90s`, `10m`)')
            [CompletionResult]::new('--change-ref', '--change-ref', [CompletionResultType]::ParameterName, 'A reference for the journal, such as a ticket''s number')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the passphrase of the root''s key; default: asked for on a terminal')
            [CompletionResult]::new('--istioctl', '--istioctl', [CompletionResultType]::ParameterName, 'The istioctl that renders Istio; default: `STOLOS_ISTIOCTL`, else the one in the PATH')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--allow-disruption', '--allow-disruption', [CompletionResultType]::ParameterName, 'Consent to steps that can interrupt what serves now, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;status' {
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;explain' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;trust' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Make the fleet''s root on this machine, where no cluster carries one')
            [CompletionResult]::new('issue', 'issue', [CompletionResultType]::ParameterValue, 'Issue the intermediates that are missing, broken or about to end')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show what each control plane signs with, with or without a fleet file')
            break
        }
        'stolos;trust;init' {
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the passphrase of the root''s key; default: asked for on a terminal')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;trust;issue' {
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time for the whole command (`90s`, `10m`)')
            [CompletionResult]::new('--change-ref', '--change-ref', [CompletionResultType]::ParameterName, 'A reference for the journal, such as a ticket''s number')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the passphrase of the root''s key; default: asked for on a terminal')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--allow-disruption', '--allow-disruption', [CompletionResultType]::ParameterName, 'Consent to steps that can interrupt what serves now, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;trust;show' {
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;mesh' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Install Istio where the fleet file wants it, with the intermediates that it signs with')
            break
        }
        'stolos;mesh;install' {
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time for the whole command (`90s`, `10m`)')
            [CompletionResult]::new('--change-ref', '--change-ref', [CompletionResultType]::ParameterName, 'A reference for the journal, such as a ticket''s number')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the passphrase of the root''s key; default: asked for on a terminal')
            [CompletionResult]::new('--istioctl', '--istioctl', [CompletionResultType]::ParameterName, 'The istioctl that renders Istio; default: `STOLOS_ISTIOCTL`, else the one in the PATH')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--allow-disruption', '--allow-disruption', [CompletionResultType]::ParameterName, 'Consent to steps that can interrupt what serves now, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;link' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('sync', 'sync', [CompletionResultType]::ParameterValue, 'Make the links what the fleet file says, and await istiod''s own synchronisation')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the links with their states, read-only, with or without a fleet file')
            break
        }
        'stolos;link;sync' {
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time for the whole command (`90s`, `10m`)')
            [CompletionResult]::new('--change-ref', '--change-ref', [CompletionResultType]::ParameterName, 'A reference for the journal, such as a ticket''s number')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait until istiod reads the others; each credential is tried at its API server all the same')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Consent to the plan without being asked')
            [CompletionResult]::new('--allow-disruption', '--allow-disruption', [CompletionResultType]::ParameterName, 'Consent to steps that can interrupt what serves now, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;link;list' {
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Only contexts that match (`east`, `prod-*`); can be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Not the contexts that match; can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig; default: `KUBECONFIG`''s list, else `~/.kube/config`')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group; can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)')
<<<<<<< HEAD
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Time for a connection (name, TCP, proxy, TLS) [default: the request''s, up to 10s]')
            [CompletionResult]::new('--first-byte-timeout', '--first-byte-timeout', [CompletionResultType]::ParameterName, 'Time for an answer to begin [default: the request''s]')
            [CompletionResult]::new('--pause-timeout', '--pause-timeout', [CompletionResultType]::ParameterName, 'Time that an answer may pause once it has begun [default: half of the request''s]')
            [CompletionResult]::new('--exec-plugins', '--exec-plugins', [CompletionResultType]::ParameterName, 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)')
            [CompletionResult]::new('--login-timeout', '--login-timeout', [CompletionResultType]::ParameterName, 'Time for a credential plugin while it may be asking you something')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time')
=======
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another')
>>>>>>> 3e5a554 (Show what is known while silent clusters are waited for, and say what mends each failure)
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Bring up throwaway clusters with real control planes, reached by a kubeconfig of their own')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Take a lab down: end its processes and remove its files')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the labs on this machine and their clusters')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the `export` lines that lead a shell''s programs to a lab: `eval "$(stolos lab env)"`')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a program where a lab''s addresses can be reached, with the lab''s environment')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Do the main job start to end on a fresh lab: from nothing to a mesh, and its status')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Switch a cluster of a lab off, as if its machines had lost power: connections are refused')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Switch a cluster of a lab on again, and wait until it is ready')
            [CompletionResult]::new('parts', 'parts', [CompletionResultType]::ParameterValue, 'Find or build the programs that a lab runs, and print the directory that holds them')
            [CompletionResult]::new('inside', 'inside', [CompletionResultType]::ParameterValue, 'What the lab runs of itself')
            break
        }
        'stolos;lab;up' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The lab''s name')
            [CompletionResult]::new('--clusters', '--clusters', [CompletionResultType]::ParameterName, 'How many clusters; default: 2, or as many as the lab has')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;down' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The lab''s name')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every lab of this user on this machine')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;list' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer: `table`, `wide`, `json` or `yaml`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;env' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The lab''s name')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;exec' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The lab''s name')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;demo' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The lab''s name; one of this name that runs is taken down first')
            [CompletionResult]::new('--clusters', '--clusters', [CompletionResultType]::ParameterName, 'How many clusters')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;stop' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;start' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;parts' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;inside' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('supervise', 'supervise', [CompletionResultType]::ParameterValue, 'Become the supervisor')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Be the first process of the lab')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run the lab')
            [CompletionResult]::new('relay', 'relay', [CompletionResultType]::ParameterValue, 'Connect stdin and stdout with a port of the loopback address')
            break
        }
        'stolos;lab;inside;supervise' {
            [CompletionResult]::new('--namespaces', '--namespaces', [CompletionResultType]::ParameterName, 'The options of `unshare`')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'The lab''s folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;inside;init' {
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'The lab''s folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;inside;run' {
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'The lab''s folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;lab;inside;relay' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;completion' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'stolos;man' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'The folder to write `stolos.1` and one page a command to; default: `stolos.1` on stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print answers, warnings and errors, and nothing else')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more (-v what is done, -vv each request)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
