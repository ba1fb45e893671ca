//! What several commands share: loading a design, choosing nodes, where the machines are, stopping.

use super::Global;
use super::exit::{CliError, Exit};
use crate::finding::{Finding, Severity, did_you_mean};
use crate::model::hazard::{Hazard, Phase};
use crate::model::site::Site;
use crate::plan::Limits;
use crate::reconcile::design::{self, Loaded};
use crate::reconcile::place::PlaceError;
use crate::reconcile::session::Machines;
use crate::reconcile::{place, rehearsal, stand_in};
use crate::store::{RunRow, Store, Url};
use crate::view::{caret, findings, import, out, show as shown};
use crate::world::source::{Options, Place};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where the machines are: shared by plan and apply.
#[derive(clap::Args)]
pub struct Where {
    /// Rehearse on a virtual rack in this process, with a store of its own.
    #[arg(long, conflicts_with = "rack")]
    pub r#virtual: bool,
    /// Use the virtual rack of another process, by its endpoints file.
    #[arg(long, value_name = "FILE")]
    pub rack: Option<PathBuf>,
}

impl Where {
    pub fn machines(&self, design: &str) -> Result<Machines, CliError> {
        Ok(match (&self.rack, self.r#virtual) {
            (Some(file), _) => {
                let folder = place::rack_folder(design, cache_folder().as_deref())?;
                Machines::Rack(rehearsal::read_endpoints(file)?, folder)
            }
            (None, true) => Machines::Rehearsal(place::rack_folder(design, cache_folder().as_deref())?),
            (None, false) => Machines::Real,
        })
    }

    pub fn store(&self, global: &Global, design: &str) -> Result<Url, CliError> {
        let cache = cache_folder();
        match Place::parse(design)? {
            Place::Folder { path, .. } if !path.is_dir() => {
                let message = format!("there is no design folder `{}`", path.display());
                return Err(CliError::new(Exit::Design, message));
            }
            place if place.is_remote() && self.r#virtual => {
                out::note(&shown::rehearsal_kept(&place::own(design, cache.as_deref())?));
            }
            _ => {}
        }
        Ok(place::store_url(global.store.as_deref(), design, self.r#virtual, cache.as_deref())?)
    }
}

impl Where {
    /// Its machines are of a virtual rack. Which stand-ins they need, the payloads say.
    pub fn rehearses(&self) -> bool {
        self.r#virtual || self.rack.is_some()
    }

    /// The site as it is carried out here: with stand-ins for real payloads when it is rehearsed.
    pub fn site(&self, site: Arc<Site>) -> Arc<Site> {
        match self.rehearses() {
            true => stand_in::rehearsed(&site, self.r#virtual).0,
            false => site,
        }
    }
}

/// Where fetched designs are kept: in the user's cache folder (XDG Base Directory Specification).
pub fn cache_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("rackwright"))
}

/// The store of a design for commands that do without one: a fetched design has none that nobody names.
pub fn store_if_any(global: &Global, design: &str) -> Result<Option<Url>, CliError> {
    match place::store_url(global.store.as_deref(), design, false, cache_folder().as_deref()) {
        Err(PlaceError::NoStore(_)) => Ok(None),
        url => Ok(Some(url?)),
    }
}

/// How a design is brought in. To serve machines takes its payloads, too.
pub fn source(revision: Option<&str>, payloads: bool) -> Options {
    let revision = revision.map(str::to_string);
    Options { cache: cache_folder(), revision, payloads, ..Options::default() }
}

/// Loads a design that must be valid; prints its warnings, or its errors and fails.
pub async fn load(global: &Global, design: &str) -> Result<Arc<Site>, CliError> {
    load_with(global, design, &source(None, false)).await
}

/// The same, at a revision, and with payloads where machines are served.
pub async fn load_with(global: &Global, design: &str, options: &Options) -> Result<Arc<Site>, CliError> {
    let Loaded { site, findings, texts, notes, .. } = design::load(design, options).await?;
    if !notes.is_empty() {
        out::note(&import::counted(&notes));
    }
    match site {
        Some(site) => {
            for warning in findings.iter().filter(|finding| finding.code.severity >= Severity::Warning) {
                out::note(&findings::line(warning));
            }
            Ok(site)
        }
        None => {
            let errors: Vec<Finding> = findings.into_iter().filter(Finding::is_error).collect();
            out::note(&findings::human(&errors, &texts, colored(global)));
            Err(CliError::new(Exit::Design, format!("the design `{design}` cannot be used")))
        }
    }
}

pub fn colored(global: &Global) -> bool {
    match global.color {
        super::Color::Always => true,
        super::Color::Never => false,
        super::Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// The run of this name, or the newest.
pub async fn chosen_run(store: &Store, name: Option<&str>) -> Result<RunRow, CliError> {
    let run = match name {
        Some(id) => store.run(id).await?,
        None => store.runs(1).await?.into_iter().next(),
    };
    run.ok_or_else(|| {
        let what = name.map_or("there are no runs".into(), |id| format!("there is no run `{id}`"));
        CliError::new(Exit::Usage, what).help("`rackwright runs` lists them")
    })
}

/// One node by its name.
pub fn choose_node(site: &Site, name: &str) -> Result<(), CliError> {
    if site.node(name).is_some() {
        return Ok(());
    }
    let error = CliError::new(Exit::Usage, format!("the design has no node `{name}`"));
    Err(match did_you_mean(name, site.nodes.iter().map(|node| &*node.name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    })
}

/// The nodes that a selector chooses. Choosing none is an error: what was meant is not there.
pub fn choose(site: &Site, selector: &str) -> Result<BTreeSet<Arc<str>>, CliError> {
    let chosen = crate::reconcile::choose(site, selector).map_err(|error| {
        let shown = caret::under(selector, error.span.offset, error.span.length);
        CliError::new(Exit::Usage, format!("the selector is wrong: {}\n{shown}", error.message))
            .help(error.help)
    })?;
    if chosen.is_empty() {
        let shown = caret::under(selector, 0, selector.len());
        let message = format!("the selector chooses no node of site {}\n{shown}", site.name);
        let help = "`rackwright show DESIGN node NAME` prints the values that a selector asks for";
        return Err(CliError::new(Exit::Usage, message).help(help));
    }
    Ok(chosen)
}

pub fn limits(site: &Site, on: Option<&str>, until: Option<Phase>) -> Result<Limits, CliError> {
    let on =
        on.map(|selector| Ok::<_, CliError>((selector.to_string(), choose(site, selector)?))).transpose()?;
    Ok(Limits { until, on, under_way: Default::default() })
}

/// `--until`.
pub fn phase(text: &str) -> Result<Phase, String> {
    match text.parse::<Phase>() {
        Ok(Phase::Release) => Err("a node is taken out of care by `rackwright release NODE`".into()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// One of the words of `--approve`.
pub fn hazard(text: &str) -> Result<Hazard, String> {
    text.parse::<Hazard>().map_err(|error| error.to_string())
}

/// A token that Ctrl-C and SIGTERM cancel.
pub fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(error) => {
                tracing::error!(%error, "SIGTERM cannot be watched");
                return;
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        out::note("Stopping before the next effect; what was done is on record. Again: stop at once.");
        cancelled.cancel();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        // Safe at any moment: the journal holds every intent.
        std::process::exit(130);
    });
    token
}
