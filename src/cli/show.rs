//! `show`: a resolved thing, with where its values come from.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::finding::did_you_mean;
use crate::model::image::{Image, ImageState};
use crate::model::path::Path;
use crate::model::site::Site;
use crate::reconcile::images::Images;
use crate::reconcile::{addresses_of, place};
use crate::store::Store;
use crate::view::{out, show as shown};

/// Show a resolved node, a blueprint, a task, or anything else that the design declares.
#[derive(clap::Args)]
pub struct Args {
    /// [DESIGN] KIND NAME, where KIND is node, blueprint, task, network, image, rack or another kind.
    #[arg(num_args = 2..=3, required = true, value_name = "[DESIGN] KIND NAME")]
    words: Vec<String>,
    /// With each value of a node the layer that it is from, and the place.
    #[arg(long, conflicts_with = "why")]
    resolved: bool,
    /// Every layer that set the value at this path of a node, and which won.
    #[arg(long, value_name = "PATH")]
    why: Option<String>,
    /// What was seen of a node, with history.
    #[arg(long)]
    facts: bool,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let (design, kind, name) = match args.words.as_slice() {
        [design, kind, name] => (design.as_str(), kind.as_str(), name.as_str()),
        [kind, name] => (".", kind.as_str(), name.as_str()),
        _ => return Err(CliError::new(Exit::Usage, "write `show [DESIGN] KIND NAME`")),
    };
    let site = common::load_with(global, design, &common::source(args.revision.as_deref(), false)).await?;
    let site = match kind {
        "node" => addresses_of(site, common::store_if_any(global, design)?.as_ref()).await?,
        _ => site,
    };
    match kind {
        "node" => node(global, args, &site, design, name).await?,
        "blueprint" => {
            let found = site.blueprints.get(name);
            let blueprint =
                found.ok_or_else(|| missing(kind, name, site.blueprints.keys().map(|key| &**key)))?;
            match global.json {
                true => out::json_document(blueprint),
                false => out::result(&shown::blueprint(blueprint)),
            }
        }
        "task" => {
            let task = site
                .tasks
                .get(name)
                .ok_or_else(|| missing(kind, name, site.tasks.keys().map(|key| &**key)))?;
            let state = match &task.image {
                Some(image) => Some(image_state(global, &site, design, image).await?),
                None => None,
            };
            match global.json {
                true => out::json_document(&shown::task_json(task, state.as_ref())),
                false => out::result(&shown::task(task, state.as_ref())),
            }
        }
        other => thing(global, &site, other, name)?,
    }
    Ok(Exit::Done)
}

/// What is known of a task's image, beside the store of the design.
async fn image_state(
    global: &Global,
    site: &Site,
    design: &str,
    image: &Image,
) -> Result<ImageState, CliError> {
    let cache = common::cache_folder();
    let url = place::store_url(global.store.as_deref(), design, false, cache.as_deref())?;
    Ok(Images::new(site, &url).state(image).await)
}

/// Whatever has no form of its own is shown as it is written.
fn thing(global: &Global, site: &Site, kind: &str, name: &str) -> Result<(), CliError> {
    let Some(of_kind) = site.things.get(kind) else {
        let error = CliError::new(Exit::Usage, format!("the design has no {kind}"));
        let mut kinds = vec!["node", "blueprint", "task"];
        kinds.extend(site.things.keys());
        return Err(match did_you_mean(kind, kinds.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it has {}", kinds.join(", "))),
        });
    };
    let thing = of_kind.get(name).ok_or_else(|| missing(kind, name, of_kind.keys().map(|key| &**key)))?;
    match global.json {
        true => out::json_document(&shown::thing_json(kind, name, thing)),
        false => out::result(&shown::thing(kind, name, thing)),
    }
    Ok(())
}

async fn node(global: &Global, args: &Args, site: &Site, design: &str, name: &str) -> Result<(), CliError> {
    let node =
        site.node(name).ok_or_else(|| missing("node", name, site.nodes.iter().map(|node| &*node.name)))?;
    if let Some(why) = &args.why {
        let path = Path::parse(why.strip_prefix("node.").unwrap_or(why));
        match global.json {
            true => out::json_document(&shown::why_json(node, &path)),
            false => out::result(&shown::why(node, &path)),
        }
        return Ok(());
    }
    let mut json = shown::node_json(node);
    if !global.json {
        out::result(&if args.resolved { shown::node_resolved(node) } else { shown::node(node) });
    }
    if args.facts {
        let cache = common::cache_folder();
        let url = place::store_url(global.store.as_deref(), design, false, cache.as_deref())?;
        let store = Store::open_to_read(&url).await?;
        let facts = store.facts_of(name).await?;
        store.close().await;
        match global.json {
            true => json["facts"] = shown::facts_json(&facts),
            false => out::result(&format!("facts\n{}", shown::facts(&facts))),
        }
    }
    if global.json {
        out::json_document(&json);
    }
    Ok(())
}

fn missing<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    let error = CliError::new(Exit::Usage, format!("the design has no {kind} `{name}`"));
    match did_you_mean(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}
