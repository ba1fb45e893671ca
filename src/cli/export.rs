//! `export`: the site for other programs.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::finding::did_you_mean;
use crate::model::blueprint::Blueprint;
use crate::model::site::Site;
use crate::reconcile::addresses_of;
use crate::view::export::{ansible, graph, json};
use crate::view::out;
use serde_json::json;
use std::sync::Arc;

/// Write the site for other programs: as JSON, as an Ansible inventory, or its blueprints as graphs.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(clap::Subcommand)]
enum Kind {
    /// The whole resolved site as one JSON document; secrets are "(secret)".
    Json {
        /// The design folder.
        #[arg(default_value = ".")]
        design: String,
    },
    /// A dynamic inventory for Ansible; secrets are left out.
    #[command(
        after_help = "As an inventory: an executable file with the two lines\n  #!/bin/sh\n  exec rackwright \
        export ansible /path/to/design \"$@\""
    )]
    Ansible {
        /// The design folder.
        #[arg(default_value = ".")]
        design: String,
        /// The whole inventory, which is what is written anyway.
        #[arg(long, conflicts_with = "host")]
        list: bool,
        /// The variables of one host only.
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
    },
    /// The blueprints for Graphviz.
    Graph(Blueprints),
    /// The blueprints as a Mermaid flowchart.
    Mermaid(Blueprints),
}

#[derive(clap::Args)]
struct Blueprints {
    /// The design folder.
    #[arg(default_value = ".")]
    design: String,
    /// One blueprint; all of them otherwise.
    #[arg(long, value_name = "NAME")]
    blueprint: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    match &args.kind {
        Kind::Json { design } => out::json_document(&json::site(&*site(global, design).await?)),
        Kind::Ansible { design, host: None, .. } => {
            out::json_document(&ansible::list(&*site(global, design).await?));
        }
        Kind::Ansible { design, host: Some(name), .. } => {
            let site = site(global, design).await?;
            let known = || site.nodes.iter().map(|node| &*node.name);
            let node = site.node(name).ok_or_else(|| missing("node", name, known()))?;
            out::json_document(&ansible::host(&site, node));
        }
        Kind::Graph(chosen) => {
            let site = common::load(global, &chosen.design).await?;
            text(global, "graphviz", &graph::graphviz(&blueprints(&site, chosen)?));
        }
        Kind::Mermaid(chosen) => {
            let site = common::load(global, &chosen.design).await?;
            text(global, "mermaid", &graph::mermaid(&blueprints(&site, chosen)?));
        }
    }
    Ok(Exit::Done)
}

/// The site with the addresses that its nodes have: a chosen one is kept, and others are to reach it there.
async fn site(global: &Global, design: &str) -> Result<Arc<Site>, CliError> {
    let site = common::load(global, design).await?;
    Ok(addresses_of(site, common::store_if_any(global, design)?.as_ref()).await?)
}

fn blueprints<'a>(site: &'a Site, chosen: &Blueprints) -> Result<Vec<&'a Blueprint>, CliError> {
    let Some(name) = &chosen.blueprint else {
        return Ok(site.blueprints.values().map(|blueprint| &**blueprint).collect());
    };
    let known = || site.blueprints.keys().map(|name| &**name);
    let blueprint = site.blueprints.get(&**name).ok_or_else(|| missing("blueprint", name, known()))?;
    Ok(vec![blueprint])
}

/// A text that is no JSON of itself.
fn text(global: &Global, language: &str, text: &str) {
    match global.json {
        true => out::json_document(&json!({"format": 1, "language": language, "text": text})),
        false => out::result(text),
    }
}

fn missing<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    let error = CliError::new(Exit::Usage, format!("the design has no {kind} `{name}`"));
    match did_you_mean(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}
