//! The folder of templates: read before anything else happens.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    path::{self, Component, Path, PathBuf},
    sync::Arc,
};

use handfast::{
    limits,
    template::{Need, Template},
};

use crate::{file, log};

/// A template and its file's name.
pub(crate) type Named = (String, Arc<Template>);

/// Every `*.tpl` of a folder, by name, and whether some could not be read. Of two that write one file, the second is not
/// accepted: they would overwrite each other.
pub(crate) fn read(folder: &Path) -> io::Result<(Vec<Named>, bool)> {
    let entries =
        fs::read_dir(folder).map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tpl"));
    paths.sort();
    let (mut templates, mut failed, mut places) = (Vec::new(), false, BTreeMap::new());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let read = read_one(&path).and_then(|template| match places.entry(place(template.dest())) {
            Entry::Vacant(entry) => {
                entry.insert(name.clone());
                Ok(template)
            }
            Entry::Occupied(first) => {
                Err(("dest_taken", format!("{} writes {} already", first.get(), first.key().display())))
            }
        });
        match read {
            Ok(template) => templates.push((name, Arc::new(template))),
            Err((code, reason)) => {
                log::error("malformed", &[("template", &name), ("code", code), ("reason", &reason)]);
                failed = true;
            }
        }
    }
    Ok((templates, failed))
}

fn read_one(path: &Path) -> Result<Template, (&'static str, String)> {
    let text =
        file::read_text(path, limits::TEMPLATE_BYTES).map_err(|error| ("unreadable", error.to_string()))?;
    Template::parse(&text).map_err(|error| (error.code().as_str(), error.to_string()))
}

/// Where a file will be, whatever way leads there. What does not exist yet is no link.
fn place(dest: &str) -> PathBuf {
    let path = path::absolute(dest).unwrap_or_else(|_| dest.into());
    let mut place = PathBuf::new();
    for part in path.parent().unwrap_or(&path).components() {
        if part == Component::ParentDir {
            place.pop();
        } else {
            place.push(part);
        }
        place = place.canonicalize().unwrap_or(place);
    }
    place.extend(path.file_name());
    place
}

/// Says what a template needs.
pub(crate) fn describe(name: &str, template: &Template) {
    let (mode, command) = (template.mode().to_string(), template.command().join(" "));
    log::info(
        "template",
        &[("template", name), ("path", template.dest()), ("mode", &mode), ("command", &command)],
    );
    for Need { reference, missing, .. } in template.needs() {
        let (provider, id) = (reference.provider(), reference.id());
        log::info(
            "needs",
            &[("template", name), ("provider", provider), ("id", id), ("missing", missing.as_str())],
        );
    }
}

/// The environment variables that hold secrets.
pub(crate) fn variables(templates: &[Named]) -> Vec<String> {
    let needs = templates.iter().flat_map(|(_, template)| template.needs());
    let named = needs.filter(|need| need.reference.provider() == "env");
    named.map(|need| need.reference.id().to_owned()).collect()
}
