//! `ringfence generate`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::allowance::{self, Allowance};
use super::project::{Input, InputArgs};
use super::scope::{self, Scope};
use super::shared::Others;
use super::terminal::{Terminal, count};
use super::{Failure, Outcome};
use crate::decode::Findings;
use crate::diag::render::Format;
use crate::diag::{Code, Diag};
use crate::kustomize::KUSTOMIZATIONS;
use crate::plan::{self, Plan};
use crate::render::{self, Engine};
use crate::source::{Files, Span};
use crate::tree::{self, Class, Delta, Exclusive, Recorded, Shared, Tree, guard};

/// Write the trees.
///
/// Only files that changed are written, only files that the lock lists are deleted, and a file that was edited by hand is not overwritten
/// without `--force`. A run that is stopped at any moment leaves a state that the next run repairs.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,

    /// Write only this cluster's part: its folders below clusters/, delivery/flux/ and bootstrap/, and its Applications in the folder of an Argo CD
    /// instance. May be given several times, also for a cluster that left the inventory. Other clusters stay as they are: where what they share
    /// with it would change for them, too, the run is refused and names them.
    #[arg(long = "cluster", value_name = "NAME")]
    clusters: Vec<String>,

    /// The folder of the trees [default: output/ in the project's root]. The site's own Kustomize components are looked for in custom/ beside it.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Write nothing; exit 1 where the tree is not what would be written: a file is missing, changed, edited by hand, foreign or stale. Not together
    /// with `--plan` or `--force`.
    #[arg(long, conflicts_with_all = ["plan", "force"])]
    check: bool,

    /// Print what would be made, of what and why, as JSON; write nothing. Not together with `--check` or `--force`.
    #[arg(long, conflicts_with = "force")]
    plan: bool,

    /// Overwrite files that were edited by hand. Not together with `--check` or `--plan`.
    #[arg(long)]
    force: bool,

    #[arg(long, value_name = "N%|KIND", value_parser = Allowance::parse, help = allowance::help())]
    max_deletions: Vec<Allowance>,
}

const EXIT_CODES: &str = "Exit codes: 0 the trees are written, or are what they should be, whatever warnings and notes there are; 1 errors, or with \
    `--deny-warnings` warnings, and nothing is written; with `--check` also trees that are not what would be written; 2 the work could not be done, or the \
    command line is wrong.";

pub(super) fn run(args: &Args, here: &Path, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut input = Input::read(&args.input, here, args.output.as_deref(), terminal)?;
    let output = input.output(here, args.output.as_deref())?;
    let custom = output.parent().map_or_else(|| PathBuf::from("custom"), |parent| parent.join("custom"));
    let scope = Scope::new(&args.clusters, &input.inventory, &output)?;
    let mut findings = Findings::new();
    let rendered = render(&input, args, &scope, &custom, terminal, &mut findings)?;
    let tree = match rendered {
        Rendered::Tree(tree) => tree,
        Rendered::Printed => {
            // For machines, stdout holds the plan and nothing else.
            if args.input.format == Format::Human {
                report(&input, args, findings, terminal)?;
            }
            return Ok(Outcome::Clean);
        }
        Rendered::Refused => return report(&input, args, findings, terminal).map(|_| Outcome::Findings),
    };
    let started = Instant::now();
    let mut display = Display { files: std::mem::take(&mut input.files), folder: input.project.display(&output) };
    let outcome = if args.check {
        check(&output, &tree, &scope, &mut display, &mut findings)?
    } else {
        fs::create_dir_all(&output).map_err(Failure::io("make the folder", &output))?;
        write(args, &output, &tree, &scope, &mut display, &mut findings)?
    };
    input.files = display.files;
    terminal.timing(if args.check { "compare" } else { "write" }, started.elapsed());
    let failed = report(&input, args, findings, terminal)?;
    if args.input.format == Format::Human {
        summarise(&tree, &scope, &outcome, failed, terminal);
    }
    terminal.timing("all", terminal.elapsed());
    // The process ends soon, and giving back a large fleet piece by piece would only keep people waiting.
    std::mem::forget((tree, input));
    Ok(if failed { Outcome::Findings } else { Outcome::Clean })
}

enum Rendered {
    Tree(Tree),
    /// The plan was asked for, and printed.
    Printed,
    /// Findings forbid to go on.
    Refused,
}

/// Resolve, plan, render; each stage only where the ones before it found no error.
fn render(
    input: &Input,
    args: &Args,
    scope: &Scope,
    custom: &Path,
    terminal: &Terminal,
    findings: &mut Findings,
) -> Result<Rendered, Failure> {
    let started = Instant::now();
    let model = input.resolve(findings);
    terminal.timing("resolve", started.elapsed());
    let Some(model) = model.filter(|_| !input.sorted(findings.clone()).1) else { return Ok(Rendered::Refused) };
    let started = Instant::now();
    let (engine, more) = Engine::new(&input.catalog);
    if !more.is_empty() {
        // A rule that did not compile would be reported again for everything that it is asked about.
        findings.extend(more);
        return Ok(Rendered::Refused);
    }
    let mut plan: Plan = plan::plan(&model, &input.catalog, &engine, &input.schemas, custom, findings);
    terminal.timing("plan", started.elapsed());
    if input.sorted(findings.clone()).1 {
        return Ok(Rendered::Refused);
    }
    if args.plan {
        plan.files.retain(|path, _| scope.holds(path));
        let json = plan::to_json(&plan, &input.catalog, &input.files);
        terminal.data(&format!("{json:#}\n"))?;
        return Ok(Rendered::Printed);
    }
    // The plan holds all that is needed from here on.
    drop(model);
    let started = Instant::now();
    let before = findings.len();
    let tree = render::manifests(plan, &input.catalog, &engine, &input.schemas, &input.files, findings);
    terminal.timing("render", started.elapsed());
    Ok(if findings.len() > before { Rendered::Refused } else { Rendered::Tree(tree) })
}

fn report(input: &Input, args: &Args, findings: Findings, terminal: &Terminal) -> Result<bool, Failure> {
    let (diags, errors) = input.sorted(findings);
    let command = if args.check { "ringfence generate --check" } else { "ringfence generate" };
    terminal.findings(command, args.input.format, &diags, &input.files)?;
    Ok(errors)
}

/// Gives files of the tree a place that findings can point to.
struct Display {
    files: Files,
    folder: String,
}

impl Display {
    /// A path of the tree as the places of findings show it.
    fn shown(&self, path: &str) -> String {
        self.files.shown(&format!("{}/{path}", self.folder))
    }

    fn place(&mut self, path: &str) -> Span {
        let file = self.files.add(format!("{}/{path}", self.folder), "");
        self.files.start(file)
    }
}

fn check(output: &Path, tree: &Tree, scope: &Scope, display: &mut Display, findings: &mut Findings) -> Result<tree::Summary, Failure> {
    let _hold = Shared::take(output)?;
    let recorded = tree::read(output)?;
    let delta = scope.of(tree::compare(tree, &recorded, output)?, &recorded);
    if delta.interrupted {
        let place = display.place(tree::PENDING_FILE);
        let diag = Diag::new(Code::DriftInterrupted, place, "a run was interrupted, and the tree may be half old, half new");
        findings.push(diag.help("Run `ringfence generate`: it finishes what was interrupted."));
    }
    let again = "Run `ringfence generate` and commit what it writes.";
    let others = Others::of(scope, output, tree, &delta)?;
    findings.extend(others.files.first().map(|file| others.finding(scope, display.place(file))));
    for (path, class) in delta.classes.iter().filter(|(path, _)| !others.files.contains(*path)) {
        let origin = tree.get(path).map(|file| file.origin);
        let diag = match (class, origin) {
            (Class::Missing { .. }, Some(origin)) => {
                Diag::new(Code::DriftMissing, origin, format!("`{}` is missing", display.shown(path))).label("made for this").help(again)
            }
            (Class::Changed { .. }, Some(origin)) => {
                Diag::new(Code::DriftChanged, origin, format!("`{}` is out of date", display.shown(path)))
                    .label("made for this")
                    .help(again)
            }
            (Class::HandEdited { .. } | Class::Stale { edited: true, .. }, origin) => hand_edited(path, origin, display),
            (Class::Stale { .. }, _) => {
                let owner = recorded.lock.get(path).map_or_else(String::new, |entry| format!(", written for {}", entry.owner));
                Diag::new(Code::DriftStale, display.place(path), format!("nothing makes this file any more{owner}")).help(again)
            }
            (Class::Foreign, _) => {
                let help = "Move it out of the tree; what a site adds belongs into `custom/`.";
                let (path, what) = path.strip_suffix('/').map_or((path.as_str(), "file"), |folder| (folder, "folder"));
                Diag::new(Code::DriftForeign, display.place(path), format!("this {what} was not generated")).help(help)
            }
            _ => match in_the_way(path, *class, origin, display) {
                Some(diag) => diag,
                None => continue,
            },
        };
        findings.push(diag);
    }
    let no_file = !delta.classes.values().any(|class| !matches!(class, Class::Unchanged | Class::Adopt));
    let changed = changed_sources(tree, &recorded, &delta);
    let no_file = no_file && changed.is_empty();
    findings.extend(changed.into_iter().map(|diag| diag.help(again)));
    if delta.lock_outdated && no_file && !delta.interrupted {
        let place = display.place(tree::LOCK_FILE);
        findings.push(Diag::new(Code::DriftChanged, place, "the lock does not list the files that are there").help(again));
    }
    Ok(tree::Summary { unchanged: delta.count(|class| class == Class::Unchanged), ..tree::Summary::default() })
}

/// Sources whose files are not those of which the trees were made, each once.
fn changed_sources(tree: &Tree, recorded: &Recorded, delta: &Delta) -> Vec<Diag> {
    let source = |owner: &str| {
        let (folder, digest) = owner.split_once(" of ")?.1.split_once(" sha256:")?;
        Some((folder.to_owned(), digest.split(' ').next().unwrap_or_default().to_owned()))
    };
    let mut changed: BTreeMap<(String, Span), Diag> = BTreeMap::new();
    for (path, entry) in delta.lock.entries() {
        let before = recorded.lock.get(path.as_str()).and_then(|entry| source(&entry.owner));
        let (Some((folder, now)), Some((_, before)), Some(file)) = (source(&entry.owner), before, tree.get(path.as_str())) else {
            continue;
        };
        if now != before {
            let diag = Diag::new(Code::DriftSource, file.origin, format!("`{folder}` changed since the trees were made"));
            changed.entry((folder, file.origin)).or_insert_with(|| diag.label("adopts it"));
        }
    }
    changed.into_values().collect()
}

fn hand_edited(path: &str, origin: Option<Span>, display: &mut Display) -> Diag {
    let place = display.place(path);
    let Some(origin) = origin else {
        let diag = Diag::new(Code::HandEdited, place, "this file is no longer made, and was edited by hand");
        return diag.help("Keep the change elsewhere, then `ringfence generate --force` deletes the file.");
    };
    let diag = Diag::new(Code::HandEdited, place, "this file was edited by hand").related(origin, "made for this");
    diag.help("Put the change into the inventory, a blueprint or `custom/`; `ringfence generate --force` takes the generated content.")
}

fn in_the_way(path: &str, class: Class, origin: Option<Span>, display: &mut Display) -> Option<Diag> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let diag = match class {
        Class::ForeignInTheWay if origin.is_none() && KUSTOMIZATIONS.contains(&name) => {
            let message =
                "kustomize takes this file, which was not generated, for a second kustomization of its folder, and builds neither";
            let diag = Diag::new(Code::ForeignInTheWay, display.place(path), message);
            diag.help("Move it out of the tree; what a site adds belongs into `custom/`.")
        }
        Class::ForeignInTheWay => {
            let diag = Diag::new(
                Code::ForeignInTheWay,
                display.place(path),
                "something that was not generated stands where a generated file goes",
            );
            diag.help("Move it away: nothing that is not ours is overwritten, not even with `--force`.")
        }
        Class::Unsafe(odd) => {
            let diag = Diag::new(Code::UnsafePath, display.place(path), format!("this is {}", odd.as_str()));
            diag.help("Remove it: nothing in the tree is written or read through it.")
        }
        _ => return None,
    };
    Some(match origin {
        Some(origin) => diag.related(origin, "what goes there is made for this"),
        None => diag,
    })
}

fn write(
    args: &Args,
    output: &Path,
    tree: &Tree,
    scope: &Scope,
    display: &mut Display,
    findings: &mut Findings,
) -> Result<tree::Summary, Failure> {
    let hold = Exclusive::take(output)?;
    let recorded = tree::read(output)?;
    let delta = scope.of(tree::compare(tree, &recorded, output)?, &recorded);
    if delta.interrupted && scope.is_partial() {
        let message = "a run was interrupted, and what it left may be anywhere in the tree";
        return Err(Failure::new(message, "Run `ringfence generate` without `--cluster` first: it finishes what was interrupted."));
    }
    let before = findings.len();
    let others = Others::of(scope, output, tree, &delta)?;
    findings.extend(others.files.first().map(|file| others.finding(scope, display.place(file))));
    let refused: Vec<(String, Class)> = delta.refusals(args.force).map(|(path, class)| (path.to_owned(), class)).collect();
    for (path, class) in refused {
        let diag = match class {
            Class::HandEdited { .. } | Class::Stale { .. } => Some(hand_edited(&path, tree.get(&path).map(|file| file.origin), display)),
            other => in_the_way(&path, other, tree.get(&path).map(|file| file.origin), display),
        };
        findings.extend(diag);
    }
    guards(args, output, tree, &recorded, &delta, display, findings)?;
    if findings.len() > before {
        return Ok(tree::Summary::default());
    }
    Ok(tree::write(&hold, tree, &delta, &tree::Options { force: args.force, ..tree::Options::default() })?)
}

/// Deletions and changes that want a second thought.
fn guards(
    args: &Args,
    output: &Path,
    tree: &Tree,
    recorded: &Recorded,
    delta: &Delta,
    display: &mut Display,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let deletions = guard::deletions(tree, recorded, delta, output, allowance::share(&args.max_deletions))?;
    if let Some(many) = deletions.too_many {
        let message =
            format!("{} of {} files ({} %) would be deleted, and {} % are allowed", many.deleted, many.of, many.percent, many.allowed);
        let diag = Diag::new(Code::TooManyDeletions, display.place(tree::LOCK_FILE), message);
        findings.push(diag.help(format!("Where this is meant, add `--max-deletions {}%`.", many.percent.min(100))));
    }
    for lost in deletions.protected.iter().filter(|lost| !allowance::covers(&args.max_deletions, &lost.kind)) {
        let within = lost.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in `{namespace}`"));
        let diag = Diag::new(
            Code::ProtectedDeletion,
            display.place(&lost.file),
            format!("the {} `{}`{within} would be deleted", lost.kind, lost.name),
        );
        let help = "Neither Argo CD nor Flux deletes it from the cluster, but nothing would manage it any more. Where this is meant, add";
        findings.push(diag.help(format!("{help} `--max-deletions {}`.", lost.kind)));
    }
    for path in &deletions.unreadable {
        let diag = Diag::new(Code::HandEdited, display.place(path), "this file was edited by hand and is no YAML any more");
        findings.push(diag.help("See what it held before it is overwritten: restore it from version control, then generate again."));
    }
    for change in guard::immutable_changes(tree, delta, output)? {
        let within = change.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in `{namespace}`"));
        let message =
            format!("`{}` of the {} `{}`{within} would change, and Kubernetes refuses that", change.field, change.kind, change.name);
        let origin = tree.get(&change.file).map(|file| file.origin);
        let place = display.place(&change.file);
        let diag = match origin {
            Some(origin) => Diag::new(Code::ImmutableChange, origin, message).related(place, "in this file"),
            None => Diag::new(Code::ImmutableChange, place, message),
        };
        if !args.force {
            findings.push(diag.help(instead_of_change(&change.kind)));
        }
    }
    Ok(())
}

/// What to do where a change is refused.
fn instead_of_change(kind: &str) -> String {
    let (rename, delete) = match kind {
        "StatefulSet" => ("Give the workload a new name and move its data", " with `--cascade=orphan`"),
        "PersistentVolumeClaim" => ("Give the volume a new name and move its data", ""),
        "Deployment" | "DaemonSet" | "Job" | "Service" => ("Give the workload a new name", ""),
        _ => ("Give it a new name", ""),
    };
    format!("{rename}; or delete the object in the cluster first{delete}, then generate with `--force`.")
}

/// What was done, in all and by cluster.
fn summarise(tree: &Tree, scope: &Scope, done: &tree::Summary, failed: bool, terminal: &Terminal) {
    if failed {
        return;
    }
    let mut clusters: BTreeMap<&str, usize> = BTreeMap::new();
    let mut files = 0;
    for path in tree.files().keys().filter(|path| scope.holds(path.as_str())) {
        files += 1;
        if let Some(cluster) = scope::own(path.as_str()) {
            *clusters.entry(cluster).or_default() += 1;
        }
    }
    for (cluster, files) in &clusters {
        terminal.say(format!("  {cluster:<24} {files:>5} files"));
    }
    let changed = done.created + done.changed + done.deleted;
    if changed == 0 {
        terminal.say(format!("All {} of {} are up to date.", count(files, "file"), count(clusters.len(), "cluster")));
    } else {
        terminal.say(format!(
            "{} written, {} changed, {} deleted; {} up to date.",
            count(done.created, "file"),
            done.changed,
            done.deleted,
            done.unchanged
        ));
    }
    if done.repaired {
        terminal.say("An interrupted run was repaired.");
    }
}
