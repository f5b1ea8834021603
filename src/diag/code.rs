//! The registry of findings: each code, its severity, its title, and the text of `ringfence explain CODE`.

use std::fmt;

use super::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident, $title:literal;)+) => {
        /// Which finding it is. Names are stable: scripts and suppressions may rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the stages that find them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, in kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// How much it matters unless a flag says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// The finding in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Why it is a finding and what to do, in paragraphs: the text of `ringfence explain`.
            pub fn explanation(self) -> String {
                let lines: &[&str] = match self { $(Self::$variant => &[$($doc),+]),+ };
                lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
            }
        }
    };
}

codes! {
    // ---- reading the inventory ----
    /// A file below the inventory could not be read: a link that leads nowhere, a directory named like a file,
    /// a missing permission, a link out of the project, or a link to a folder. Nothing is generated from half an inventory.
    FileUnreadable = "file-unreadable", Error, "a file of the inventory cannot be read";
    /// Only `*.yaml` and `*.yml` below the inventory's folder are read; names with a dot before them, `README.md` and other documents, and
    /// `*.schema.json` for editors may stand beside them. A name that looks like inventory all the same (`fleet.YAML`, `fleet.json`,
    /// `fleet.yaml.j2`) is an error, so that nobody believes in a workload that nothing reads; what looks like a copy (`fleet.yaml~`,
    /// `fleet.yaml.orig`) is a warning.
    FileNotRead = "file-not-read", Error, "a file that looks like inventory and is not read";
    /// Inventory files may be 10 MiB at most, so that a mistake (a dump, a binary) gets a clear answer at once.
    /// Split a large inventory over several files: all files below the folder form one inventory, and they are read in parallel.
    FileTooLarge = "file-too-large", Error, "a file of the inventory is too large";
    /// Inventory files are UTF-8. The column says where the first byte stands that is not.
    NotUtf8 = "not-utf8", Error, "a file is not UTF-8";
    /// The text is no YAML: a tab in the indentation, an unclosed bracket or quote, more than 255 levels of nesting, a stray tag.
    YamlSyntax = "yaml-syntax", Error, "not YAML";
    /// Anchors and aliases may be used, but what they expand to is bounded, in each file and in all together, so that a few lines cannot become
    /// gigabytes. A file has a million nodes (keys, values, lists, mappings) at most.
    YamlTooComplex = "yaml-too-complex", Error, "YAML that expands beyond the bounds";
    /// YAML readers disagree on a key that is written twice: some take the first, some the last, some refuse.
    /// So does Kubernetes. The second label shows the first one.
    DuplicateKey = "duplicate-key", Error, "a key written twice";
    /// A plain scalar that YAML readers understand differently (`no`, `on`, `0777`, `1_000`, `12:30`), or a number or boolean where
    /// text is meant: `1.10` is the number 1.1 and `no` is false for kubectl. Quote it to say that the text is meant.
    AmbiguousScalar = "ambiguous-scalar", Error, "a scalar on which YAML readers disagree";
    /// A key that the format does not have at this place. Nothing is ever ignored in silence: a misspelt `isolation` must not
    /// fall back to a default.
    UnknownKey = "unknown-key", Error, "an unknown key";
    /// A key that has no default is not there.
    MissingKey = "missing-key", Error, "a required key is missing";
    /// A value of another shape than the format asks for: text for a number, a list for a mapping, nothing for something.
    WrongType = "wrong-type", Error, "a value of the wrong type";
    /// A word that is none of the allowed ones.
    InvalidValue = "invalid-value", Error, "a value that is not allowed";
    /// No file states `fleet`, or there is no inventory file at all. `ringfence init` writes a first inventory.
    NoFleet = "no-fleet", Error, "an inventory without a fleet";
    /// `fleet.apiVersion` names a format newer than this program reads, or none that ever was. A newer program may be needed:
    /// guessing what a newer format means could open a tier.
    ApiVersion = "api-version", Error, "a format version that this program does not read";
    /// The cluster's Kubernetes minor is outside those whose schemas are built in, so that its objects could not be checked.
    KubernetesVersion = "kubernetes-version", Error, "a Kubernetes minor without a built-in schema";

    // ---- adopted sources ----
    /// Kustomize would refuse the folder as well: a file that is not there, a patch that means no object, two objects of one name, a circle of
    /// folders, a scalar on which YAML readers disagree. The finding stands where it is written. A folder below `custom/` holds one component, or is refused.
    SourceInvalid = "source-invalid", Error, "a source that cannot be built";
    /// A feature of kustomize that is not taken over (`helmCharts`, `replacements`, `vars`, plugins, ...), or something that no review would
    /// see: a remote resource, a path out of the project, a symbolic link. Nothing is approximated: write out what it makes.
    SourceUnsupported = "source-unsupported", Error, "a source with a feature that is not taken over";
    /// Sources have bounds: files of 1 MiB, 16 MiB together, 500 folders, 20 levels, 2,000 objects. A folder that refers to itself in ever new
    /// ways ends here.
    SourceTooLarge = "source-too-large", Error, "a source beyond the bounds";

    /// A workload with a `source` states what the source decides: its image, its replicas, its pod. Two places for one thing would contradict
    /// each other one day. What holds beside a source: `placement`, `labels`, `annotations`, `serviceAccount`, `apiAccess`, `connects`, `ports`.
    SourceDecides = "source-decides", Error, "a key that the source decides";
    /// A source brings along an object that is not for a workload: one of the whole cluster, RBAC, a NetworkPolicy, a Namespace, a bare pod.
    /// The help says what to write in the inventory instead. A patch with `$patch: delete` in an overlay takes it out.
    AdoptedKind = "adopted-kind", Error, "a kind that a source may not have";
    /// An object of a source states a namespace that is not its workload's. Namespaces follow from team and tier: what is in another one
    /// would be another workload.
    AdoptedNamespace = "adopted-namespace", Error, "a source that reaches into another namespace";
    /// A namespace holds the workloads of a whole team and tier. A source answers for its own: what it has scales no other workload.
    AdoptedReach = "adopted-reach", Error, "a source that reaches into another workload";
    /// Roles of whoever applies a tree name a custom resource by its plural, and a project keeps the right to delete it when its last object leaves. Neither
    /// can be guessed: `schemas/NAME.yaml` in a folder of blueprints states plural and scope of each kind that sources bring along.
    AdoptedKindUnstated = "adopted-kind-unstated", Error, "a custom kind of a source of which too little is known";
    /// A custom resource may make pods of its own, with images, secrets and tolerations that no rule here sees. It is taken over with the
    /// namespace and our labels on it, and nothing else.
    AdoptedNotCovered = "adopted-not-covered", Warning, "a custom resource that no rule looks into";

    // ---- formats ----
    /// Kubernetes would refuse the name: characters, length, first or last character. The help says which rule.
    InvalidName = "invalid-name", Error, "a name that Kubernetes refuses";
    /// A port is a number from 1 to 65535, or where Kubernetes takes one the name of a declared port.
    InvalidPort = "invalid-port", Error, "a port that does not parse";
    /// A quantity is a number with an optional suffix: `250m`, `1.5`, `64Mi`, `2G`, `1e3`.
    InvalidQuantity = "invalid-quantity", Error, "a quantity that does not parse";
    /// A schedule has the five fields of cron (minute, hour, day, month, weekday) or one of the macros such as `@daily`. A time zone stands beside it, by its
    /// IANA name.
    InvalidSchedule = "invalid-schedule", Error, "a schedule that does not parse";
    /// An address range is written as in `10.42.0.0/16`, with no bits set beyond the prefix; an address as in `192.0.2.10`.
    InvalidAddress = "invalid-address", Error, "an address that does not parse";
    /// A date is written as in `2027-06-30`; it is the last day on which the thing holds.
    InvalidDate = "invalid-date", Error, "a date that does not parse";
    /// An image reference has the form `[registry/]path[:tag][@sha256:digest]`.
    InvalidImage = "invalid-image", Error, "an image reference that does not parse";
    /// Label and annotation keys, label values: Kubernetes states their characters and lengths.
    InvalidLabel = "invalid-label", Error, "a label or annotation that Kubernetes refuses";

    // ---- references and names ----
    /// Two things of one kind have one name; references to it would be a guess.
    DuplicateDefinition = "duplicate-definition", Error, "two definitions of one name";
    /// A name that nothing in the inventory defines. Where a file, or one of its lists, could not be read, that is the finding: nothing that may be in it
    /// is said to be missing.
    UnknownReference = "unknown-reference", Error, "a reference to nothing";
    /// A name that we compose (`<team>-<tier>`, `<workload>-<volume>`, ...) breaks a rule of Kubernetes: its length or characters.
    ComposedName = "composed-name", Error, "a composed name that Kubernetes refuses";
    /// Two different things compose to one name, as team `a-b` with tier `c` and team `a` with tier `b-c` do.
    ComposedNameClash = "composed-name-clash", Error, "two things composed to one name";

    // ---- tiers, data and clusters ----
    /// The workload's tier is below the least tier that may hold its data (SP 800-190 3.3.4). Raise the tier, or state the data rightly.
    TierBelowData = "tier-below-data", Error, "a workload below the tier that its data demands";
    /// Tiers of equal level are incomparable: neither may stand in for the other, so data of the one may not be held in the other.
    TierIncomparable = "tier-incomparable", Error, "a workload in a tier that is incomparable with its data's";
    /// The workload states neither a tier nor data from which one tier follows.
    TierUnclear = "tier-unclear", Error, "a workload without a clear tier";
    /// More than one cluster hosts the workload's tier, and neither the workload nor its team, tier or fleet says which is meant;
    /// or what they say leaves none.
    ClustersUnclear = "clusters-unclear", Error, "a workload whose clusters are not clear";
    /// The workload names a cluster that does not host its tier.
    ClusterWithoutTier = "cluster-without-tier", Error, "a cluster that does not host the tier";
    /// No cluster hosts the tier, so nothing of it could run anywhere.
    TierWithoutCluster = "tier-without-cluster", Error, "a tier that no cluster hosts";
    /// A cluster hosts the tier but has no node pool for it: its pods would wait for ever (SP 800-190 4.3.4).
    TierWithoutNodePool = "tier-without-node-pool", Error, "a tier without a node pool";
    /// Every cluster needs one pool with `role: system`: CoreDNS, metrics and the delivery's controllers tolerate no tier's taint.
    NoSystemPool = "no-system-pool", Error, "a cluster without a system pool";
    /// A tier with `isolation: cluster` shares no cluster with another tier (SP 800-190 4.3.4).
    TierSharesCluster = "tier-shares-cluster", Error, "a tier with a cluster of its own shares one";
    /// An override may not set what decides isolation or identity: tier, data, team, name, kind, clusters, ownNamespace, source.
    ForbiddenOverride = "forbidden-override", Error, "an override of what may not be overridden";
    /// An override whose match fits none of the workload's clusters changes nothing: a typo, or left behind.
    OverrideUnused = "override-unused", Error, "an override that matches no cluster of the workload";
    /// The key means nothing for this kind of workload (a schedule on a Deployment, replicas on a DaemonSet), or beside the keys that it stands with: the scheme
    /// of a probe that opens a socket, the names of nodes that are made. It would be ignored, and whoever wrote it would not know.
    KeyNotForKind = "key-not-for-kind", Error, "a key that means nothing where it stands";
    /// Two clusters share a CNI secret, an audience, a CA, a join token or a KMS: who breaks one cluster breaks both (SP 800-190 4.3.5).
    SharedTrust = "shared-trust", Error, "two clusters share a root of trust";
    /// Address ranges of one cluster overlap, so that rules on them cannot tell pods, services and nodes apart.
    NetworkOverlap = "network-overlap", Error, "address ranges of a cluster overlap";
    /// What `delivery` says contradicts itself: tiers of one cluster that are delivered in different ways, an Argo CD instance that would run in
    /// two clusters or have two namespaces. Its objects would reach the wrong cluster, or nobody would apply them.
    DeliveryContradiction = "delivery-contradiction", Error, "a delivery that contradicts itself";
    /// The cluster only warns and logs: policies of `enforcement: audit` stop nothing. Meant for a roll-out on a cluster that lives.
    EnforcementAudit = "enforcement-audit", Warning, "a cluster whose policies only warn";
    /// What a cluster asks for is made of objects that its Kubernetes minor does not serve: they would be refused, and what waits for them would
    /// never come. So are fields of a pod or controller that the minor's schema has and its API server drops or refuses, since their feature gate is off.
    NeedsNewerKubernetes = "needs-newer-kubernetes", Error, "a setting that needs a newer Kubernetes";

    // ---- access ----
    /// The role cannot be limited so, or has nothing to hold: nodes are no tier's own to RBAC, and where no API within the cluster says how many
    /// nodes there are, nobody can be given the right to change that (SP 800-190 4.3.1). The API server takes a rule of `apiAccess` that names a resource of the
    /// whole cluster, a resource under another API group, or objects by name for a verb whose requests have no name (`create` but by `patch`, `deletecollection`),
    /// and such a rule grants nothing.
    GrantImpossible = "grant-impossible", Error, "a grant that no role can hold";
    /// The grant holds nowhere: its owner has no namespace, tier or cluster among those that it names.
    GrantUnused = "grant-unused", Warning, "a grant that holds nowhere";
    /// In the top tier programs are run in pods through break-glass alone: the grant is bound while the tier's `breakGlass` is on.
    GrantWaits = "grant-waits", Note, "a grant that waits for break-glass";
    /// The tier's `breakGlass` is on: its break-glass groups, and in the top tier those on call, are bound on the clusters that are named. The
    /// trees cannot end it by themselves; past its last day `generate` fails until it is removed.
    BreakGlassOpen = "break-glass-open", Warning, "emergency access that is on";

    /// Two instances of Prometheus on one cluster run as one ServiceAccount, have one name or none, or select one another's monitors: what may find and
    /// scrape the pods of one tier could find and scrape those of the other (SP 800-190 4.3.1).
    ScrapeIdentityShared = "scrape-identity-shared", Error, "two instances of Prometheus with one identity";

    // ---- workloads ----
    /// The image is outside the registries of its tier. Host and path are compared segment by segment, after the normalisation that
    /// container runtimes do: `registry.example.com.evil.io` and `confidential-evil/` are outside (SP 800-190 4.1.5).
    ImageOutsideRegistries = "image-outside-registries", Error, "an image outside the tier's registries";
    /// The tier asks for a digest: a tag may mean another image tomorrow (SP 800-190 4.2.2).
    ImageWithoutDigest = "image-without-digest", Error, "an image without the digest that its tier asks for";
    /// A literal that looks like a secret. Whoever reads the repository would have it; refer to a Secret instead (SP 800-190 4.1.4).
    LiteralSecret = "literal-secret", Error, "a literal secret";
    /// Isolation owns the field: it follows from the tier, and a hand-written value would be a way around it.
    IsolationOwned = "isolation-owned", Error, "a field that isolation owns";
    /// Kubernetes' schema of the cluster's minor does not have the field, or has it with another type.
    KubernetesField = "kubernetes-field", Error, "a field that Kubernetes does not have so";
    /// Kubernetes' schema allows it and its API server does not, or the pod could never start: what `pod` and `spec` say together with the short forms breaks
    /// one of the rules that go beyond types, such as two handlers of one probe, a request above its limit, or a strategy under which nothing could be replaced.
    KubernetesRefuses = "kubernetes-refuses", Error, "what Kubernetes would refuse";
    /// Labels and annotations below `kubernetes.io`, `k8s.io`, `fluxcd.io`, `argoproj.io`, `helm.sh` and the fleet's own `labelDomain` are not for workloads
    /// to set, nor are those by which a pod asks its network plugin for an interface, an address or a way past the policies (`k8s.v1.cni.cncf.io`,
    /// `multus-cni.io`, `projectcalico.org`, `cilium.io`, `ovn.org`). The annotations of `expose`, `serviceAccount` and a listener are for controllers that read such domains: there `kubernetes.io` and `k8s.io` are
    /// refused only where kustomize and kubectl read them. An adopted source may label objects as charts do (`app.kubernetes.io/name`, `helm.sh/chart`); what
    /// isolation, the delivery, kustomize or kubectl act upon is refused there, too.
    ReservedLabel = "reserved-label", Error, "a label that is not for workloads to set";
    /// The tier's Pod Security level, or a control of ours, does not allow it. An exemption with an owner and an end may. What `apiAccess` may never hold has no
    /// exemption: wildcards, and writing what a controller acts upon with more rights than the workload has, such as a network policy, an Application or a Certificate.
    ControlViolated = "control-violated", Error, "a setting that a control forbids";
    /// A `ReadWriteOnce` claim can be mounted on one node at a time: of several replicas, or a DaemonSet's pods, those on other nodes wait for ever.
    ClaimNotShareable = "claim-not-shareable", Warning, "a claim that several pods cannot share";
    /// What an `emptyDir` holds counts against the limits of containers: on disk against `ephemeral-storage` of the whole pod, which is evicted when it holds more,
    /// in memory against `memory` of those that write to it. A `sizeLimit` above these is never reached. A container without a limit of its own has that of its
    /// namespace's `LimitRange`: 1Gi of `ephemeral-storage`, 512Mi of `memory`.
    VolumeAboveLimit = "volume-above-limit", Warning, "a scratch volume that the limits do not hold";
    /// `ttlSecondsAfterFinished` has a Job deleted some time after its end. Flux and Argo CD then find it missing, and make it again: what was to run once runs every
    /// time it is gone, with 0 every few minutes. The Jobs of a CronJob are Kubernetes' own, and may have it.
    JobRunsAgain = "job-runs-again", Warning, "a Job that would run again and again";
    /// A name within the workload that refers to nothing: a probe's port, a mount's volume, a key of `config`.
    UnknownInWorkload = "unknown-in-workload", Error, "a reference to nothing within the workload";
    /// Two entries of one list have one name, mount path, port or variable where Kubernetes takes one.
    DuplicateEntry = "duplicate-entry", Error, "two entries of one name in a list";
    /// A keyword of the inventory is set where its counterpart under `pod` or `spec` is too: one of them would win in silence. Of a controller, what has a keyword
    /// (`replicas`, `schedule`, `suspend`, ...) is not set under `spec` at all.
    SetTwice = "set-twice", Error, "one field set in two ways";

    // ---- flows and gateways ----
    /// The target of the flow has no such port.
    FlowUnknownPort = "flow-unknown-port", Error, "a flow to an unknown port";
    /// Flows cross tiers or clusters through a declared gateway only (SP 800-190 4.3.3): one that names the caller, the target and the target's port,
    /// and has an owner, a reason and an end. Where the target runs on another cluster, `listen` says at which address callers reach it there.
    FlowWithoutGateway = "flow-without-gateway", Error, "a flow across tiers or clusters without a gateway";
    /// No listener of the gateway serves this caller's cluster: the one in its environment, then its region, is taken; `via` decides what is left open.
    GatewayWithoutListener = "gateway-without-listener", Error, "a gateway without a listener for a caller";
    /// `via` decides what is left open: which of several listeners in a caller's environment serves it, or that a caller without one there may leave its
    /// environment. Where its own environment has a listener, nothing is open: production must not be sent to staging by an entry that was left behind.
    GatewayLeavesEnvironment = "gateway-leaves-environment", Error, "a `via` out of the caller's environment";
    /// A listener inside a cluster's own pods, services or nodes range would never leave that cluster.
    GatewayListenerInside = "gateway-listener-inside", Error, "a listener inside a cluster's own ranges";
    /// The address of a listener is one load balancer's, of one Service: it stands for one port of one workload on one cluster. Gateways to that
    /// port may name the same listener and share it, as long as they say the same of it.
    GatewayListenerClash = "gateway-listener-clash", Error, "two things at one listener";
    /// Packets do not change between IPv4 and IPv6 on their way: what the caller's cluster leaves by, the listener's address, and the Services
    /// of the target's cluster must have a family in common.
    GatewayListenerFamily = "gateway-listener-family", Error, "a listener of another address family";
    /// The listener's address is asked for in `spec.loadBalancerIP`, which Amazon's controllers do not read: they would give the listener another
    /// address than the one that callers are sent to. They take annotations, such as `service.beta.kubernetes.io/aws-load-balancer-eip-allocations`.
    GatewayListenerUnasked = "gateway-listener-unasked", Warning, "a listener's address that nothing asks for";
    /// `listen` is for gateways that cross clusters; this one never does, or not into that cluster. `via` is for clusters that call it.
    GatewayListenUnused = "gateway-listen-unused", Error, "a listener that nothing reaches";
    /// No declared flow of its callers uses the gateway: it is an opening that nobody needs.
    GatewayUnused = "gateway-unused", Warning, "a gateway that no flow uses";
    /// The alias is already a Service or another alias in the caller's namespace.
    AliasClash = "alias-clash", Error, "an alias that clashes";
    /// An alias maps names, not ports: the port that the application dials must be one that the target's Service, or listener, has.
    AliasPort = "alias-port", Error, "an alias whose port the target lacks";
    /// An alias leads to a name, or to an address: a Service of a workload, a listener, an external name. Pods of the platform, a range of
    /// addresses and a wildcard have neither. An address without a name needs an EndpointSlice, which Argo CD leaves out unless told otherwise.
    AliasNowhere = "alias-nowhere", Error, "an alias that can lead nowhere";

    /// The cluster's network plugin cannot do what is asked of it. A flow to a name needs Cilium: a `NetworkPolicy` knows addresses alone. Weave Net has no
    /// IPv6. Calico encrypts with keys that its nodes make themselves. What no plugin can keep shut stands in `bootstrap/<cluster>/network.md`.
    CniUnsupported = "cni-unsupported", Error, "beyond the cluster's network plugin";
    /// Weave Net's makers closed in February 2024, and its repository is archived: 2.8.1 is their last version, of 2021. The fork rajch/weave carries it on (2.9.0, of
    /// December 2024), and so far nobody else does: a hole in it may stay open. Of what the tree writes, it alone has nothing above the policies of a namespace, and cannot keep a
    /// pod from its own node. It stays supported and closely watched (`bootstrap/<cluster>/alerts.md`); the note is there so that a fleet stays on it knowingly, and
    /// `--deny-warnings` does not count it.
    ///
    /// A running cluster does not change its network plugin without an interruption. Make a new cluster of the same tiers with `cni: cilium` or `cni: calico` and ranges of its own,
    /// let workloads run on both (`clusters`), move their callers, take the old one out. Flows to names become possible with Cilium; `encryptionSecret` is for Weave Net and for
    /// Cilium's `IPsec`, while Calico's nodes make their own keys.
    LegacyCni = "legacy-cni", Note, "a network plugin that nobody maintains";
    /// `external` is for what the fleet does not run. Addresses of a cluster's pods, Services and nodes, those of gateways' listeners, the metadata
    /// service, and names of these, are reached in other ways, which obey the rules of tiers. A range that is larger than the fleet is
    /// fine: what it holds of the fleet is left out of it.
    ExternalInside = "external-inside", Error, "something outside that is not";

    // ---- exemptions and ends ----
    /// The exemption, gateway or token is past its end. It still stands in the tree until a person renews or removes it;
    /// `--allow-expired` lets a fleet that must be mended today through.
    Expired = "expired", Error, "past its end";
    /// The exemption, gateway or token ends within 30 days.
    ExpiresSoon = "expires-soon", Warning, "near its end";
    /// The exemption excuses nothing any more: remove it, before something else slips through it.
    ExemptionUnused = "exemption-unused", Error, "an exemption that excuses nothing";
    /// Pod Security works on whole namespaces, so that an exemption of one workload from its tier's level asks for `ownNamespace: true`.
    ExemptionNeedsNamespace = "exemption-needs-namespace", Error, "an exemption that needs a namespace of its own";

    // ---- honesty ----
    /// Keys that were read and checked but of which no object is made: not yet, or because a provider's own control plane takes none, nothing delivers the
    /// tree, or nothing refers to them. The note is there so that nobody believes in an object that is not.
    NotGenerated = "not-generated", Note, "keys of which nothing is made";

    // ---- blueprints and the plan ----
    /// A `kind.yaml`, `control.yaml`, `schema.yaml` or template name that does not say what it must, or two of them that contradict each other: values
    /// are escaped for what a template's name says, so its `path` has to end alike.
    BlueprintInvalid = "blueprint-invalid", Error, "a blueprint that is not one";
    /// The template does not compile, or failed for these values: an undefined name, an unknown filter, a wrong type.
    TemplateError = "template-error", Error, "a template that fails";
    /// The template, or a rule of `kind.yaml`, ran for too long or wrote too much: an endless loop, or a bomb. Or it is so deep (250 words and signs of one
    /// expression without a comma, 40 brackets or blocks within one another, 100 branches of an `if`) that reading it could fill the stack.
    TemplateLimit = "template-limit", Error, "a template beyond its limits";
    /// The rendered text is no YAML, has a key twice, or a plain scalar on which YAML readers disagree.
    ManifestInvalid = "manifest-invalid", Error, "a rendered manifest that is not YAML";
    /// The rendered object does not fit the Kubernetes schema of its cluster's minor, or the blueprint's own schema. Of the latter all is checked but rules
    /// in CEL (`x-kubernetes-validations`), rare formats and names in embedded metadata, which are the API server's alone. Its defaults stand in the object first.
    ManifestSchema = "manifest-schema", Error, "a rendered object that Kubernetes would refuse";
    /// Two blueprints, or one twice, make the same object in one cluster.
    DuplicateObject = "duplicate-object", Error, "one object made twice";
    /// A file or component that no sync object would apply: each namespace's workloads are delivered on their own, by an identity that can
    /// write nowhere else, so what lies beside their folders would be left out in silence. So would an object in such a folder that lives in another
    /// namespace, or in none.
    NotDelivered = "not-delivered", Error, "something that nothing would apply";
    /// Two owners plan one path, or one plans a file where the other plans a folder. Paths that differ in large and small letters alone clash too:
    /// macOS and Windows keep one file for both.
    PathClash = "path-clash", Error, "a path planned twice";
    /// A blueprint's path leads outside its folder, holds characters that are not portable, has a name that is kept (the lock's, the journal's,
    /// and what kustomize takes for a kustomization), or leads into a layer or the delivery, to which the kind does not belong.
    PathInvalid = "path-invalid", Error, "a path that is not one";

    // ---- the tree ----
    /// A file of the tree was changed by hand. It is not overwritten in silence: put the change into the inventory, a blueprint or
    /// `custom/`, then `--force` takes the generated content.
    HandEdited = "hand-edited", Error, "a generated file was edited by hand";
    /// A file that we did not write stands where one of ours must go; or kustomize takes it for a second kustomization of a folder that has ours, and builds
    /// neither.
    ForeignInTheWay = "foreign-in-the-way", Error, "a foreign file stands in the way";
    /// A symbolic link or something that is no regular file stands in the tree; nothing is written through it.
    UnsafePath = "unsafe-path", Error, "a path in the tree that is not safe to write";
    /// The run would delete a larger share of the tree than `--max-deletions` allows: an empty inventory folder or a wrong branch looks like this.
    TooManyDeletions = "too-many-deletions", Error, "more deletions than allowed";
    /// The run would delete an object whose loss cannot be undone, such as a Namespace or a claim.
    ProtectedDeletion = "protected-deletion", Error, "the deletion of a protected object";
    /// Fields of a living object that Kubernetes does not let change, such as a StatefulSet's claim templates. Quantities are compared by their value, as
    /// the API server compares them: `1Gi` may become `1024Mi`.
    ImmutableChange = "immutable-change", Error, "a change that Kubernetes refuses";
    /// `--cluster`: a file that several clusters share, such as that of the Applications of an Argo CD instance, would change for a cluster that is not
    /// named. Its own folder would stay as it is, and the two would not fit.
    SharedWithOthers = "shared-with-others", Error, "a shared file that would change for a cluster that is not named";
    /// `--check`: a file that `generate` would write is not there.
    DriftMissing = "drift-missing", Error, "a generated file is missing";
    /// `--check`: a file differs from what `generate` would write.
    DriftChanged = "drift-changed", Error, "a generated file differs";
    /// `--check`: a file in the tree that is neither generated nor in the lock.
    DriftForeign = "drift-foreign", Error, "a file in the tree that is not generated";
    /// `--check`: a file that an earlier run wrote and this inventory no longer makes.
    DriftStale = "drift-stale", Error, "a stale file";
    /// The files of a source are not those of which the trees were made: the lock holds their digest. It is seen even where the objects are
    /// the same.
    DriftSource = "drift-source", Error, "a source that changed since the trees were made";
    /// A run was interrupted; the tree may be half old, half new. `ringfence generate` repairs it.
    DriftInterrupted = "drift-interrupted", Error, "an interrupted run";
}

impl Code {
    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
