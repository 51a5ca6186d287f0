//! `handfast inspect`: what somebody has pasted.

use clap::Args;
use handfast::inspect::{self, Inspected};

use crate::{failure::Failure, input::Input, output};

/// A text of which nobody knows what it is. It is read from a file or from standard input, and no secret of it is printed.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    input: Input,
}

impl Inspect {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let inspected = inspect::inspect(self.input.text()?.expose());
        output::print(&inspected)?;
        if inspected == Inspected::Unknown {
            return Err(Failure::other("no format that handfast knows"));
        }
        if let Inspected::Malformed { code, .. } = inspected {
            return Err(Failure::coded(code, "looks like one, but is malformed"));
        }
        Ok(())
    }
}
