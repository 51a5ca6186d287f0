//! PEM, read strictly (RFC 7468 section 3, the "stricttextualmsg" grammar).

use data_encoding::BASE64;

/// Reads a file that is exactly one block of this label and nothing else: a block that lies somewhere in an error
/// page does not count. Lines end in LF or CRLF; the last may end the file.
pub(super) fn decode(file: &[u8], label: &str) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(file).map_err(|_| "not text")?;
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(trim_return);
    if lines.next() != Some(&*format!("-----BEGIN {label}-----")) {
        return Err("does not begin with the PEM header expected");
    }
    let footer = format!("-----END {label}-----");
    let mut encoded = String::with_capacity(text.len());
    let mut full = true;
    for line in lines.by_ref() {
        if line == footer {
            return if lines.next().is_none() { bytes(&encoded) } else { Err("goes on after the PEM block") };
        }
        if !full || line.is_empty() || line.len() > LINE {
            return Err("has a PEM line that is not of 64 characters");
        }
        full = line.len() == LINE;
        encoded.push_str(line);
    }
    Err("has no PEM footer")
}

/// Whether the file begins as a block of this label.
pub(super) fn is(file: &[u8], label: &str) -> bool {
    file.starts_with(format!("-----BEGIN {label}-----").as_bytes())
}

const LINE: usize = 64;

fn trim_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

fn bytes(encoded: &str) -> Result<Vec<u8>, &'static str> {
    BASE64.decode(encoded.as_bytes()).map_err(|_| "is not canonical base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_and_nothing_else() {
        let block = "-----BEGIN X-----\nAAECAw==\n-----END X-----";
        for good in [block.to_owned(), format!("{block}\n"), block.replace('\n', "\r\n")] {
            assert_eq!(decode(good.as_bytes(), "X"), Ok(vec![0, 1, 2, 3]), "{good:?}");
        }
        for bad in [
            format!("<html>{block}</html>"),
            format!(" {block}"),
            format!("{block}\n\n"),
            format!("{block}\n{block}\n"),
            format!("{block}x"),
            block.replace("AAECAw==", "AAECAx=="),
            block.replace("AAECAw==", "AAECAw"),
            block.replace("AAECAw==", "AAEC Aw=="),
            block.replace("AAECAw==", "AAEC\nAw=="),
            block.replace("AAECAw==", "\nAAECAw=="),
            block.replace("-----END X-----", ""),
            block.replace("BEGIN X", "BEGIN Y"),
            String::new(),
        ] {
            assert!(decode(bad.as_bytes(), "X").is_err(), "{bad:?}");
        }
    }
}
