//! Two machines, each a network namespace: our configurations give a handshake and a ping.

use std::{path::PathBuf, process::Command};

use handfast::wireguard::{Config, Interface, Peer, PresharedKey, PrivateKey};
use rand::{SeedableRng, rngs::StdRng};

use crate::peer::{find, need_root, peer, run, succeed, text};

/// A namespace that goes with the value, and its WireGuard interface with it.
struct Machine {
    name: String,
}

impl Machine {
    fn new(name: String) -> Result<Self, String> {
        let output = run(Command::new("ip").args(["netns", "add", &name]));
        if output.status.success() {
            Ok(Self { name })
        } else {
            Err(format!("no network namespaces here (CAP_SYS_ADMIN): {}", text(&output.stderr).trim()))
        }
    }

    /// A command within.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command.env("WG_QUICK_USERSPACE_IMPLEMENTATION", "wireguard-go");
        command
    }

    fn run(&self, words: &str) -> String {
        let (program, arguments) = words.split_once(' ').unwrap();
        succeed(self.command(program).args(arguments.split(' ')))
    }
}

impl Drop for Machine {
    /// The interface goes first: that ends the wireguard-go that serves it.
    fn drop(&mut self) {
        run(Command::new("ip").args(["-n", &self.name, "link", "delete", &self.name]));
        run(Command::new("ip").args(["netns", "delete", &self.name]));
    }
}

#[test]
fn two_machines_shake_hands() {
    peer("wireguard-go", &["wireguard-go", "--version"], "the package `wireguard-go`", |wireguard_go| {
        need_root()?;
        for program in ["ip", "wg", "wg-quick", "ping"] {
            find(program).ok_or(format!("no {program}: install iproute2, wireguard-tools, iputils-ping"))?;
        }
        let names = ["a", "b"].map(|end| format!("hf{end}{}", std::process::id()));
        let machines = [Machine::new(names[0].clone())?, Machine::new(names[1].clone())?];
        let [a, b] = &machines;
        succeed(
            Command::new("ip")
                .args(["link", "add", "cable", "netns", &a.name, "type", "veth"])
                .args(["peer", "name", "cable", "netns", &b.name]),
        );
        for (machine, address) in [(a, "192.0.2.1/30"), (b, "192.0.2.2/30")] {
            machine.run("ip link set lo up");
            machine.run(&format!("ip address add {address} dev cable"));
            machine.run("ip link set cable up");
        }
        let configs = configs();
        for (machine, config) in machines.iter().zip(&configs) {
            let file: PathBuf =
                wireguard_go.write(&format!("{}.conf", machine.name), config.to_secret().expose());
            succeed(machine.command("wg-quick").arg("up").arg(file));
        }
        let said = a.run("ping -c 3 -i 0.2 -W 5 10.9.0.2");
        assert!(said.contains(" 0% packet loss"), "{said}");
        for (machine, config) in machines.iter().zip(&configs) {
            let show = |what: &str| machine.run(&format!("wg show {} {what}", machine.name));
            let key = config.peers()[0].public_key.to_string();
            let handshake = show("latest-handshakes");
            let (peer, at) = handshake.trim().split_once('\t').unwrap();
            assert!(peer == key && at.parse::<u64>().unwrap() > 1_600_000_000, "{handshake}");
            let shared = config.peers()[0].preshared_key.as_ref().unwrap().to_secret();
            assert!(show("preshared-keys").contains(shared.expose()));
            assert!(machine.run(&format!("ip link show {}", machine.name)).contains("mtu 1300"));
        }
        Ok(())
    });
}

/// Two ends that know each other.
fn configs() -> [Config; 2] {
    let mut rng = StdRng::from_seed([3; 32]);
    let keys = [PrivateKey::generate(&mut rng), PrivateKey::generate(&mut rng)];
    let shared = PresharedKey::generate(&mut rng);
    [(0, 1), (1, 0)].map(|(own, other): (usize, usize)| {
        let interface = Interface {
            addresses: vec![format!("10.9.0.{}/24", own + 1).parse().unwrap()],
            listen_port: Some(51820),
            mtu: Some(1300),
            ..Interface::new(keys[own].clone())
        };
        let peer = Peer {
            preshared_key: Some(shared.clone()),
            allowed_ips: vec![format!("10.9.0.{}/32", other + 1).parse().unwrap()],
            endpoint: Some(format!("192.0.2.{}:51820", other + 1).parse().unwrap()),
            ..Peer::new(keys[other].public_key())
        };
        Config::new(interface, vec![peer]).unwrap()
    })
}
