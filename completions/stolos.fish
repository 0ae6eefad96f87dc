# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_stolos_global_optspecs
    string join \n color= q/quiet v/verbose h/help V/version
end

function __fish_stolos_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_stolos_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_stolos_using_subcommand
    set -l cmd (__fish_stolos_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c stolos -n "__fish_stolos_needs_command" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_needs_command" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_needs_command" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_needs_command" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_needs_command" -s V -l version -d 'Print version'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "contexts" -d 'List the contexts of the kubeconfigs, as kubectl would read them'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "init" -d 'Write a fleet file from kubeconfig contexts'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "join" -d 'Add contexts to the fleet file, and show the difference'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "leave" -d 'Unlink clusters from all others, then take out what the fleet put there'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "clusters" -d 'List the clusters of the fleet file'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "plan" -d 'Show what `apply` would do, and change nothing'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "apply" -d 'Make the clusters what the fleet file says: trust, mesh and links'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "status" -d 'Report the true state of the mesh, read-only, with or without a fleet file'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "explain" -d 'Explain a finding by its code; without a code, list them all'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "trust" -d 'Manage the root of trust and each cluster\'s intermediate'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "mesh" -d 'Manage Istio itself in the fleet\'s clusters'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "link" -d 'Manage the links by which each istiod reads the other clusters (Istio\'s remote secrets)'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "lab" -d 'Manage throwaway clusters with real control planes on this machine (Linux)'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "completion" -d 'Print a completion script for a shell'
complete -c stolos -n "__fish_stolos_needs_command" -f -a "man" -d 'Print the man page, or write all of them'
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -l probe -d 'Ask each context\'s cluster who it is (runs credential plugins)'
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand contexts" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand init" -l name -d 'The fleet\'s name; default: the folder\'s' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l model -d 'The deployment model: `multi-primary`; `primary-remote`, where the others hang on the first context; `external-control-plane`, where the first context runs the control plane of the others, and the second holds its configuration' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l data-plane-mode -d 'How workloads take part in the mesh: `sidecar`, or `ambient`' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand init" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand init" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand init" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand init" -s y -l yes -d 'Do not ask'
complete -c stolos -n "__fish_stolos_using_subcommand init" -l from-mesh -d 'Describe the mesh that already runs over the contexts, whoever made it'
complete -c stolos -n "__fish_stolos_using_subcommand init" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand init" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c stolos -n "__fish_stolos_using_subcommand join" -l name -d 'The cluster\'s name in the fleet; for one context' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l network -d 'The network that the clusters\' pods are in; default: one each, by the cluster\'s name' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand join" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand join" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand join" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand join" -l dry-run -d 'Show the difference and stop'
complete -c stolos -n "__fish_stolos_using_subcommand join" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand join" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand join" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand leave" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l keep-mesh -d 'Only unlink: the mesh and its trust stay'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l forget -d 'Take clusters that do not answer out of the fleet file, as they are'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l crds -d 'Take Istio\'s definitions out as well; where resources of others would go with them, that wants --yes'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand leave" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand clusters" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l cluster -d 'Plan only for this cluster of the fleet; can be repeated (reading stays fleet-wide)' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l out -d 'Save the plan: `apply FILE` does exactly that, or nothing' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l istioctl -d 'The istioctl that renders Istio; can be repeated, for two revisions of different versions; default: `STOLOS_ISTIOCTL`, else the one in the PATH' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l max-clusters -d 'Clusters whose control planes, where they serve, are changed at the same time' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l secret-store -d 'With `-o manifests`: write ExternalSecrets in place of Secrets, which this ClusterSecretStore (or `SecretStore/NAME`) holds' -r
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l exit-code -d 'Exit with 3 where there is something to do'
complete -c stolos -n "__fish_stolos_using_subcommand plan" -l adopt -d 'Take over what `istioctl install` made, and nobody else\'s: it becomes this fleet\'s, and what the fleet file does not say of it goes'
complete -c stolos -n "__fish_stolos_using_subcommand plan" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand plan" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand plan" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l cluster -d 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l passphrase-file -d 'A file whose first line is the passphrase of the root\'s key; default: asked for on a terminal' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l istioctl -d 'The istioctl that renders Istio; can be repeated, for two revisions of different versions; default: `STOLOS_ISTIOCTL`, else the one in the PATH' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l max-clusters -d 'Clusters whose control planes, where they serve, are changed at the same time' -r
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -l adopt -d 'Take over what `istioctl install` made, and nobody else\'s: it becomes this fleet\'s, and what the fleet file does not say of it goes'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand apply" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand status" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand status" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand status" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand status" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand status" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand status" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand status" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand status" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand explain" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand explain" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand explain" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand explain" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -f -a "init" -d 'Make the fleet\'s root on this machine, where no cluster carries one'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -f -a "issue" -d 'Issue the intermediates that are missing, broken or about to end'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and not __fish_seen_subcommand_from init issue show" -f -a "show" -d 'Show what each control plane signs with, with or without a fleet file'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l passphrase-file -d 'A file whose first line is the passphrase of the root\'s key; default: asked for on a terminal' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l cluster -d 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l passphrase-file -d 'A file whose first line is the passphrase of the root\'s key; default: asked for on a terminal' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from issue" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand trust; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -f -a "install" -d 'Install Istio where the fleet file wants it, with the intermediates that it signs with'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -f -a "uninstall" -d 'Take out of every cluster what the fleet put there; the fleet file stays as it is'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -f -a "upgrade" -d 'Go from one revision to another, in steps that can be taken back'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -f -a "show" -d 'Show the control planes: revision, version, who installed them, read-only, with or without a fleet file'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and not __fish_seen_subcommand_from install uninstall upgrade show models" -f -a "models" -d 'List which deployment models, networks, data planes and versions go together'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l cluster -d 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l passphrase-file -d 'A file whose first line is the passphrase of the root\'s key; default: asked for on a terminal' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l istioctl -d 'The istioctl that renders Istio; can be repeated, for two revisions of different versions; default: `STOLOS_ISTIOCTL`, else the one in the PATH' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l max-clusters -d 'Clusters whose control planes, where they serve, are changed at the same time' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -l adopt -d 'Take over what `istioctl install` made, and nobody else\'s: it becomes this fleet\'s, and what the fleet file does not say of it goes'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l forget -d 'Leave clusters that do not answer as they are, and go on without them even where their primary goes'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l crds -d 'Take Istio\'s definitions out as well; where resources of others would go with them, that wants --yes'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l to-version -d 'Its version; default: the one that istioctl brings' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l move -d 'Lead this namespace to the revision that is beside, in every cluster; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l move-back -d 'Lead this namespace there no more: it asks again for what it did; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l tag -d 'Lead a tag, and all that ask for it, to a revision; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l switch -d 'Lead namespaces that ask for no revision to the other one'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l finish -d 'Give up the revision that runs beside'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -l dry-run -d 'Show the difference and stop'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from upgrade" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from models" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from models" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from models" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from models" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand mesh; and __fish_seen_subcommand_from models" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -f -a "sync" -d 'Make the links what the fleet file says, and await istiod\'s own synchronisation'
complete -c stolos -n "__fish_stolos_using_subcommand link; and not __fish_seen_subcommand_from sync list" -f -a "list" -d 'List the links with their states, read-only, with or without a fleet file'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l cluster -d 'Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l timeout -d 'Time for the whole command (`90s`, `10m`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l change-ref -d 'A reference for the journal, such as a ticket\'s number' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s o -l output -d 'How to print the plan: `table`, `wide` (each step), `diff` (and what it changes), `json`, `yaml`, or for others to carry out: `manifests`, `helm-values`, `sail`' -r -f -a "table\t'For reading; what is done to many objects for one reason shares a line'
wide\t'For reading, with a line for each step'
diff\t'For reading, with what each step changes'
manifests\t'What is created and updated, as manifests for `kubectl apply`; Secrets are named and not shown'
helm-values\t'Values for Istio\'s Helm charts, where Helm keeps the mesh; of the fleet file alone'
sail\t'Resources of the Sail operator, where it keeps the mesh; of the fleet file alone'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l no-wait -d 'Do not wait until istiod reads the others; each credential is tried at its API server all the same'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l dry-run -d 'Show the plan and stop'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s y -l yes -d 'Consent to the plan without being asked'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -l allow-disruption -d 'Consent to steps that can interrupt what serves now, too'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l fleet -d 'The fleet file; default: the nearest `stolos.yaml` upward from the working directory' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l context -d 'Only contexts that match (`east`, `prod-*`); can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l exclude -d 'Not the contexts that match; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l kubeconfig -d 'The kubeconfig; default: `KUBECONFIG`\'s list, else `~/.kube/config`' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l as -d 'Act as this user' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l as-group -d 'Act as a member of this group; can be repeated' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l request-timeout -d 'Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l connect-timeout -d 'Time for a connection (name, TCP, proxy, TLS) [default: the request\'s, up to 10s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l first-byte-timeout -d 'Time for an answer to begin [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l pause-timeout -d 'Time that an answer may pause once it has begun [default: half of the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l exec-plugins -d 'Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l plugin-timeout -d 'Time for a credential plugin that asks nobody [default: the request\'s]' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l login-timeout -d 'Time for a credential plugin while it may be asking you something' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l parallel -d 'Clusters that are worked on at the same time; fewer spare this machine, and wait for one another' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -s l -l selector -d 'Only clusters with these labels in the fleet file (`env=prod,region=us-east`)' -r
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand link; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "up" -d 'Bring up throwaway clusters with real control planes, reached by a kubeconfig of their own'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "down" -d 'Take a lab down: end its processes and remove its files'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "list" -d 'List the labs on this machine and their clusters'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "env" -d 'Print the `export` lines that lead a shell\'s programs to a lab: `eval "$(stolos lab env)"`'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "exec" -d 'Run a program where a lab\'s addresses can be reached, with the lab\'s environment'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "demo" -d 'Do the main job start to end on a fresh lab: from nothing to a mesh, and its status'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "stop" -d 'Switch a cluster of a lab off, as if its machines had lost power: connections are refused'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "start" -d 'Switch a cluster of a lab on again, and wait until it is ready'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "parts" -d 'Find or build the programs that a lab runs, and print the directory that holds them'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and not __fish_seen_subcommand_from up down list env exec demo stop start parts inside" -f -a "inside" -d 'What the lab runs of itself'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l name -d 'The lab\'s name' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l clusters -d 'How many clusters; default: 2, or as many as the lab has' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l model -d 'Write a fleet file of this deployment model over the clusters, kept with the lab' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l data-plane-mode -d 'How workloads take part in the mesh of the fleet file; for `ambient`, the clusters are given the Gateway API' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -l control-plane-only -d 'API servers, and the controllers of namespaces, accounts and tokens; no nodes and no pods'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from up" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -l name -d 'The lab\'s name' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -l all -d 'Every lab of this user on this machine'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from down" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from list" -s o -l output -d 'How to print the answer: `table`, `wide`, `json` or `yaml`' -r -f -a "table\t'For reading'
wide\t'For reading, with more columns'
json\t'One JSON document'
yaml\t'One YAML document'"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from list" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from env" -l name -d 'The lab\'s name' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from env" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from env" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from env" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from env" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from exec" -l name -d 'The lab\'s name' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from exec" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from exec" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from exec" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -l name -d 'The lab\'s name; one of this name that runs is taken down first' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -l clusters -d 'How many clusters' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -l model -d 'The deployment model of the mesh' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -l data-plane-mode -d 'How workloads take part in the mesh: `sidecar`, or `ambient`' -r
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from demo" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from stop" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from start" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from parts" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from parts" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from parts" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from parts" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -f -a "supervise" -d 'Become the supervisor'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -f -a "init" -d 'Be the first process of the lab'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -f -a "run" -d 'Run the lab'
complete -c stolos -n "__fish_stolos_using_subcommand lab; and __fish_seen_subcommand_from inside" -f -a "relay" -d 'Connect stdin and stdout with a port of the loopback address'
complete -c stolos -n "__fish_stolos_using_subcommand completion" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand completion" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand completion" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand completion" -s h -l help -d 'Print help'
complete -c stolos -n "__fish_stolos_using_subcommand man" -l out -d 'The folder to write `stolos.1` and one page a command to; default: `stolos.1` on stdout' -r -F
complete -c stolos -n "__fish_stolos_using_subcommand man" -l color -d 'When to colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c stolos -n "__fish_stolos_using_subcommand man" -s q -l quiet -d 'Print answers, warnings and errors, and nothing else'
complete -c stolos -n "__fish_stolos_using_subcommand man" -s v -l verbose -d 'Say more (-v what is done, -vv each request)'
complete -c stolos -n "__fish_stolos_using_subcommand man" -s h -l help -d 'Print help'
