//! Writing a package of ten files, which is to take less than a millisecond, beside the compressor alone on the same tar.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may end when its input is wrong")]

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
};

use criterion::Criterion;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use handfast::{
    Secret, SecretBytes,
    archive::{Archive, EnvFile},
};
use handfast_benches::compare;
use rand::{Rng as _, SeedableRng, rngs::StdRng};

/// Text that compresses as base64 does: certificates and tokens are most of a package.
fn random_text(rng: &mut StdRng, bytes: usize) -> String {
    let mut random = vec![0; bytes * 3 / 4];
    rng.fill_bytes(&mut random);
    data_encoding::BASE64.encode(&random)
}

/// The files of an edge package and as many again; about 15 KiB.
fn package() -> Archive {
    let mut rng = StdRng::seed_from_u64(1);
    let mut env = EnvFile::new();
    for number in 0..20 {
        env = env.with(&format!("SETTING_{number}"), Secret::new(random_text(&mut rng, 24))).unwrap();
    }
    let contents = [
        ("README.txt", "Unpack me once, and delete me when I am installed.\n".repeat(10)),
        ("metadata.json", format!("{{\"package_id\":\"{}\"}}\n", random_text(&mut rng, 36))),
        ("edge-gateway.env", env.to_secret().expose().to_owned()),
        ("spire/upstream-join-token", random_text(&mut rng, 36)),
        ("spire/upstream-bundle.pem", random_text(&mut rng, 4 * 1024)),
        ("tls/ca.pem", random_text(&mut rng, 4 * 1024)),
        ("tls/client.pem", random_text(&mut rng, 2 * 1024)),
        ("tls/client-key.pem", random_text(&mut rng, 2 * 1024)),
        ("wireguard/wg0.conf", random_text(&mut rng, 512)),
        ("bin/start.sh", "#!/bin/sh\nexec edge-gateway\n".repeat(40)),
    ];
    let add = |archive: Archive, (name, content): (&str, String)| {
        archive.with_file(name.parse().unwrap(), content).unwrap()
    };
    contents.into_iter().fold(Archive::new(), add)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let archive = package();
    let listed = archive.clone().with_digests().unwrap();
    let mut tar = Vec::new();
    GzDecoder::new(archive.to_tar_gz().unwrap().expose()).read_to_end(&mut tar).unwrap();

    let mut group = criterion.benchmark_group("archive");
    group.bench_function("tar.gz", |bencher| bencher.iter(|| archive.to_tar_gz().unwrap()));
    group.bench_function("tar.gz with digests", |bencher| bencher.iter(|| listed.to_tar_gz().unwrap()));
    group.bench_function("zip", |bencher| bencher.iter(|| archive.to_zip().unwrap()));
    group.finish();
    let whole = || drop(black_box(archive.to_tar_gz().unwrap()));
    let bare = || {
        let mut gzip = GzEncoder::new(Vec::with_capacity(tar.len()), Compression::default());
        gzip.write_all(black_box(&tar)).unwrap();
        black_box(SecretBytes::new(gzip.finish().unwrap()));
    };
    println!("RATIO {}", compare(4, whole, bare).line("tar.gz of ten files"));
    criterion.final_summary();
}
