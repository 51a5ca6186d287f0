//! Generates the client of SPIRE's server API from the protos that the crate `spire-api` carries.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "spire")]
    spire::generate()?;
    Ok(())
}

#[cfg(feature = "spire")]
mod spire {
    use std::{error::Error, path::PathBuf};

    pub(super) fn generate() -> Result<(), Box<dyn Error>> {
        let protos = protos()?;
        let service = |name: &str| protos.join(format!("spire/api/server/{name}/v1/{name}.proto"));
        let files = protox::compile(["agent", "bundle", "entry"].map(service), [&protos])?;
        tonic_prost_build::configure().build_server(false).include_file("spire_api.rs").compile_fds(files)?;
        Ok(())
    }

    /// Where they are: in the package as it was fetched.
    fn protos() -> Result<PathBuf, Box<dyn Error>> {
        let metadata =
            cargo_metadata::MetadataCommand::new().other_options(["--locked".to_owned()]).exec()?;
        let package = metadata.packages.iter().find(|package| package.name.as_str() == "spire-api");
        let manifest = &package.ok_or("spire-api is not in the lock file")?.manifest_path;
        Ok(manifest.with_file_name("spire-api-sdk/proto").into())
    }
}
