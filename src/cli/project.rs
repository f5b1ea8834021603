//! The project: where it is, and the stages that every command begins with.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use jiff::civil;

use super::error::Failure;
use super::terminal::Terminal;
use crate::catalog::{self, Catalog};
use crate::decode::Findings;
use crate::diag::render::Format;
use crate::diag::{Code, Diag, Sink, did_you_mean};
use crate::inventory::{self, Inventory};
use crate::model::{self, Model, Options};
use crate::schema::{PathSegment, Problem, Schemas};
use crate::source::{Files, Span};
use crate::yaml::Node;
use crate::yaml::read::Value;

/// Options of every command that reads the inventory.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// The folder of the inventory [default: inventory/ in the project's root: the first folder from here upwards that has one].
    #[arg(long, value_name = "DIR")]
    inventory: Option<PathBuf>,

    /// A folder of blueprints over the built-in ones; may be given several times. The fleet's own stand under `fleet.blueprints`.
    #[arg(long, value_name = "DIR")]
    blueprints: Vec<PathBuf>,

    /// Judge exemptions, gateways and tokens as of this day [default: today].
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<civil::Date>,

    /// Let exemptions, gateways and tokens past their end through, with a warning.
    #[arg(long)]
    allow_expired: bool,

    /// Let warnings count as errors.
    #[arg(long)]
    deny_warnings: bool,

    /// The format of findings: for people on stderr, for machines on stdout.
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub format: Format,

    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_JOBS), help = jobs_help())]
    jobs: Option<u16>,
}

impl InputArgs {
    /// Those of a command that judges nothing: the inventory's folder alone.
    pub fn of(inventory: Option<PathBuf>) -> Self {
        let (blueprints, format) = (Vec::new(), Format::Human);
        Self { inventory, blueprints, as_of: None, allow_expired: true, deny_warnings: false, format, jobs: None }
    }
}

/// Every thread has a stack and buffers of its own: some thousands would take the machine's memory rather than its cores.
const MAX_JOBS: i64 = 256;

fn jobs_help() -> String {
    format!("How many threads to use, 1 to {MAX_JOBS} [default: one for each core]. The output is the same for any number")
}

fn day(text: &str) -> Result<civil::Date, String> {
    crate::formats::Date::new(text).map(|date| date.day())
}

/// The folder that the program works from.
pub fn here(directories: &[PathBuf]) -> Result<PathBuf, Failure> {
    if directories.is_empty() {
        return Path::new(".").canonicalize().map_err(Failure::io("find the folder", Path::new(".")));
    }
    folder(&directories.iter().collect::<PathBuf>(), Path::new(""), "-C")
}

/// A folder that an option names.
fn folder(stated: &Path, here: &Path, option: &str) -> Result<PathBuf, Failure> {
    let help = || format!("Name a folder that exists after `{option}`.");
    let found = here.join(stated).canonicalize();
    let found = found.map_err(|error| Failure::new(format!("there is no folder `{}`: {error}", stated.display()), help()))?;
    if found.is_dir() { Ok(found) } else { Err(Failure::new(format!("`{}` is a file, not a folder", stated.display()), help())) }
}

/// The default place is a link to somewhere that no review of the project sees.
fn leads_out(name: &str, option: &str) -> Failure {
    let message = format!("`{name}` is a link that leads out of the project");
    Failure::new(message, format!("Put a folder there; or name the place with `{option} DIR`, where this is meant."))
}

/// A project's folders.
#[derive(Debug)]
pub struct Project {
    /// Its root: what paths of findings and generated headers are relative to.
    pub root: PathBuf,
    /// Its inventory.
    pub inventory: PathBuf,
    /// The root below its repository's, with `/` at its end where they differ.
    prefix: String,
}

impl Project {
    /// Finds the project from a folder upwards, as git does: the first that has an `inventory` folder.
    pub fn find(here: &Path, args: &InputArgs) -> Result<Self, Failure> {
        let above = here.ancestors().find(|folder| folder.join("inventory").is_dir()).map(Path::to_path_buf);
        let (root, inventory) = match &args.inventory {
            Some(stated) => {
                let inventory = folder(stated, here, "--inventory")?;
                let parent = inventory.parent().unwrap_or(&inventory).to_path_buf();
                (above.filter(|root| inventory.starts_with(root) && *root != inventory).unwrap_or(parent), inventory)
            }
            None => {
                let root = above.ok_or_else(|| {
                    let message = "there is no folder `inventory` here or in a folder above";
                    Failure::new(message, "Run `ringfence init` to begin one, or name it with `--inventory DIR`.")
                })?;
                let inventory = root.join("inventory");
                let real = inventory.canonicalize().map_err(Failure::io("find the folder", &inventory))?;
                if !real.starts_with(&root) {
                    return Err(leads_out("inventory", "--inventory"));
                }
                (root, inventory)
            }
        };
        let repository = root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&root);
        let below = root.strip_prefix(repository).unwrap_or(Path::new(""));
        let parts = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned() + "/");
        let prefix = parts.collect();
        Ok(Self { root, inventory, prefix })
    }

    /// The folder of the trees, with no link and no `..` in it: the stated one, or `output/` below the root.
    ///
    /// Fails where a file stands there.
    pub fn output(&self, here: &Path, stated: Option<&Path>) -> Result<PathBuf, Failure> {
        let shown = stated.unwrap_or(Path::new("output"));
        let path = stated.map_or_else(|| self.root.join(shown), |stated| here.join(stated));
        // What is not there yet is made, and holds no links.
        let there = path.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(here);
        let output = there.canonicalize().map_err(Failure::io("use the folder", shown))?;
        if stated.is_none() && !output.starts_with(&self.root) {
            return Err(leads_out("output", "--output"));
        }
        if !output.is_dir() {
            let message = format!("`{}` cannot be the folder of the trees: a file stands there", shown.display());
            return Err(Failure::new(message, "Move the file away, or name another folder with `--output DIR`."));
        }
        Ok(path.strip_prefix(there).ok().filter(|below| *below != Path::new("")).map_or(output.clone(), |below| output.join(below)))
    }

    /// A path as findings print it, before the repository's prefix.
    pub fn display(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/").replace("//", "/")
    }
}

/// What was read, and what was found while reading.
#[derive(Debug)]
pub struct Input {
    /// The folders.
    pub project: Project,
    /// All text.
    pub files: Files,
    /// The inventory.
    pub inventory: Inventory,
    /// The blueprints.
    pub catalog: Catalog,
    /// Kubernetes' schemas and the blueprints' own.
    pub schemas: Schemas,
    /// The findings so far.
    pub findings: Findings,
    /// The folders of blueprints that are read over the built-in ones.
    overlays: Vec<PathBuf>,
    options: Options,
    deny_warnings: bool,
}

impl Input {
    /// Reads the inventory and the blueprints. The trees are in `output`, or in the folder `output` of the root.
    pub fn read(args: &InputArgs, here: &Path, output: Option<&Path>, terminal: &Terminal) -> Result<Self, Failure> {
        if let Some(jobs) = args.jobs {
            // Fails only where a pool was built before, as within a test of several commands.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.into()).build_global();
        }
        let project = Project::find(here, args)?;
        let mut files = Files::below(&project.prefix);
        let mut findings = Findings::new();
        let started = Instant::now();
        // Where no trees can be, nothing is kept apart: who writes them says why.
        let trees = project.output(here, output).unwrap_or_else(|_| project.root.join("output"));
        let inventory = inventory::load(&project.root, &project.inventory, &trees, &mut files, &mut findings);
        terminal.timing("load", started.elapsed());
        let started = Instant::now();
        let overlays = overlays(args, here, &project, &inventory, &mut findings)?;
        let (catalog, schemas) = blueprints(&overlays, &mut files, &mut findings);
        terminal.timing("blueprints", started.elapsed());
        let options = Options { as_of: args.as_of.unwrap_or_else(today), allow_expired: args.allow_expired };
        let overlays = overlays.into_iter().map(|(_, folder)| folder).collect();
        Ok(Self { project, files, inventory, catalog, schemas, findings, overlays, options, deny_warnings: args.deny_warnings })
    }

    /// Reads an inventory of one file that is to be written to a folder, with the built-in blueprints.
    pub fn of_text(root: &Path, path: &str, text: &str) -> Self {
        let (mut files, mut findings) = (Files::default(), Findings::new());
        let inventory = inventory::of_text(path, text, &mut files, &mut findings);
        let (catalog, schemas) = blueprints(&[], &mut files, &mut findings);
        let project = Project { root: root.to_owned(), inventory: root.join("inventory"), prefix: String::new() };
        let options = Options { as_of: today(), allow_expired: false };
        let overlays = Vec::new();
        Self { project, files, inventory, catalog, schemas, findings, overlays, options, deny_warnings: false }
    }

    /// The folder of the trees. Fails where a file stands there, or where the trees and something that is read, or that is git's, would be in one another.
    pub fn output(&self, here: &Path, stated: Option<&Path>) -> Result<PathBuf, Failure> {
        let output = self.project.output(here, stated)?;
        let Some((what, why)) = self.taken(&output, stated.is_some()) else { return Ok(output) };
        let message = format!("the trees cannot go to `{}`, where {what}", stated.unwrap_or(Path::new("output")).display());
        Err(Failure::new(message, format!("Choose a folder of its own with `--output DIR`: {why}.")))
    }

    /// What else is in a folder, above or below it, and why no trees can be there.
    fn taken(&self, output: &Path, is_stated: bool) -> Option<(&'static str, &'static str)> {
        let root = &self.project.root;
        // The site's own components stand beside the trees, wherever these are.
        let custom = [Some(root.as_path()), output.parent()]
            .into_iter()
            .flatten()
            .map(|folder| ("the site's own components are", folder.join("custom")));
        // A source in the usual place of the trees is a finding, where it is written.
        let sources = self.inventory.workloads.iter().filter_map(|workload| workload.identity.source.as_ref()).filter(|_| is_stated);
        let read = std::iter::once(("the inventory is", self.project.inventory.clone()))
            .chain(custom)
            .chain(self.overlays.iter().map(|folder| ("blueprints are", folder.clone())))
            .chain(sources.map(|source| ("a workload's source is", root.join(&source.kustomize.value))));
        // Any of them may be a link, or not be there yet.
        let mut read = read.map(|(what, folder)| (what, folder.canonicalize().unwrap_or(folder)));
        if let Some((what, _)) = read.find(|(_, folder)| output.starts_with(folder) || folder.starts_with(output)) {
            return Some((what, "the next run would read what this one writes"));
        }
        let is_git = output.components().any(|part| part.as_os_str() == ".git");
        is_git.then_some(("git keeps the repository", "nothing there is committed"))
    }

    /// Resolves the inventory; further findings go to `findings`.
    pub fn resolve(&self, findings: &mut Findings) -> Option<Model<'_>> {
        let mut judged = Findings::bounded(Findings::KEPT);
        let model = model::resolve(&self.inventory, &self.catalog, &self.schemas, self.options, &mut judged);
        findings.extend(judged);
        model
    }

    /// All findings, sorted, with severities as the flags want them; and whether an error is among them.
    pub fn sorted(&self, findings: Findings) -> (Vec<Diag>, bool) {
        let mut sink = Sink::new(self.deny_warnings);
        sink.extend(self.findings.iter().cloned().chain(findings));
        let errors = sink.has_errors();
        (sink.into_sorted(), errors)
    }
}

/// The blueprints, and the schemas of whatever they make.
fn blueprints(overlays: &[(String, PathBuf)], files: &mut Files, findings: &mut Findings) -> (Catalog, Schemas) {
    let catalog = catalog::load(files, overlays, findings);
    findings.extend(unknown_needs(&catalog));
    let mut schemas = Schemas::default();
    for custom in &catalog.custom_schemas {
        findings.extend(add_schema(custom, &mut schemas));
    }
    (catalog, schemas)
}

/// Adds a kind's own schema; each of its defects is a finding.
fn add_schema(custom: &catalog::CustomSchema, schemas: &mut Schemas) -> Findings {
    let (version, kind) = (custom.api_version.as_str(), custom.kind.as_str());
    let finding = |problem: Problem, span: Span| {
        let help = problem.help.unwrap_or_else(|| "`ringfence explain manifest-schema` tells what of a schema is checked.".to_owned());
        Diag::new(Code::BlueprintInvalid, span, problem.message).help(help)
    };
    if let Some(schema) = &custom.schema {
        let added = schemas.add_custom(version, kind, custom.namespaced, &crate::schema::json(schema));
        let problems = added.err().unwrap_or_default();
        if !problems.is_empty() {
            let span = |problem: &Problem| keyword(schema, &problem.path).unwrap_or(custom.kind.span);
            return problems.into_iter().map(|problem| (span(&problem), problem)).map(|(span, problem)| finding(problem, span)).collect();
        }
    }
    let named = custom.plural.as_ref().map(|plural| schemas.name_custom(version, kind, custom.namespaced, plural));
    let problems = named.and_then(Result::err).unwrap_or_default();
    problems.into_iter().map(|problem| finding(problem, custom.kind.span)).collect()
}

/// Where the last step of a path through a schema is written that is there; none for the schema as a whole.
fn keyword(schema: &Node, path: &[PathSegment]) -> Option<Span> {
    let (mut node, mut span) = (schema, None);
    for segment in path {
        (node, span) = match (segment, &node.value) {
            (PathSegment::Key(key), Value::Map(entries)) => {
                let Some((key, value)) = entries.iter().find(|(name, _)| name.text() == Some(key)) else { break };
                (value, Some(key.span))
            }
            (PathSegment::Index(at), Value::Seq(items)) => {
                let Some(item) = items.get(*at) else { break };
                (item, Some(crate::decode::head(item)))
            }
            _ => break,
        };
    }
    span
}

/// Folders of blueprints, each with the path that findings print.
type Overlays = Vec<(String, PathBuf)>;

/// The fleet's own folders of blueprints, then those of the command line; each with the path that findings print.
fn overlays(args: &InputArgs, here: &Path, project: &Project, inventory: &Inventory, findings: &mut Findings) -> Result<Overlays, Failure> {
    let mut overlays = Vec::new();
    for stated in inventory.fleet.iter().flat_map(|fleet| &fleet.blueprints) {
        let path = project.root.join(stated.as_str());
        match path.canonicalize() {
            Ok(found) if found.is_dir() && found.starts_with(&project.root) => overlays.push((stated.value.clone(), found)),
            Ok(_) => {
                let diag =
                    Diag::new(Code::BlueprintInvalid, stated.span, format!("`{}` is no folder below the project's root", stated.value));
                findings.push(diag.help("What is reviewed must be what is read: keep blueprints in the project."));
            }
            Err(_) => {
                let diag = Diag::new(Code::UnknownReference, stated.span, format!("there is no folder `{}`", stated.value));
                findings.push(diag.help("Paths of `blueprints` are relative to the project's root."));
            }
        }
    }
    for stated in &args.blueprints {
        let path = folder(stated, here, "--blueprints")?;
        overlays.push((project.display(&here.join(stated)), path));
    }
    Ok(overlays)
}

/// A site's own kinds that say they need what the inventory does not have.
fn unknown_needs(catalog: &Catalog) -> Findings {
    let mut needs = catalog.kinds.iter().filter(|kind| kind.own).flat_map(|kind| &kind.needs).peekable();
    if needs.peek().is_none() {
        return Findings::new();
    }
    let keys = inventory::Keys::new();
    let unknown = needs.filter_map(|need| {
        let (part, known) = keys.check(need).err()?;
        let message = if part == need.value {
            format!("the inventory has no key `{part}`")
        } else {
            format!("the inventory has no key `{}`: there is no `{part}`", need.value)
        };
        let help = did_you_mean(&part, known.iter().map(String::as_str));
        let all = || format!("There are: {}.", known.iter().cloned().collect::<Vec<_>>().join(", "));
        Some(Diag::new(Code::BlueprintInvalid, need.span, message).help(help.unwrap_or_else(all)))
    });
    unknown.collect()
}

/// Today in UTC.
#[expect(clippy::disallowed_methods, reason = "the one look at the clock: it decides findings, never a byte of output")]
fn today() -> civil::Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap_or(civil::Date::MAX)
}
