use ringfence::source::Files;
use ringfence::tree::*;
use std::time::Instant;
fn tree(n: usize, dirs: usize, salt: &str) -> Tree {
    let mut f = Files::default();
    let id = f.add("a", "");
    let mut t = Tree::new();
    let per = n / dirs;
    for d in 0..dirs {
        for i in 0..per {
            let mut text = format!("# {d} {i} {salt}\n");
            while text.len() < 4096 {
                text.push_str(&format!("key{}: value-{d}-{i}\n", text.len()));
            }
            text.truncate(4096);
            t.insert(
                TreePath::parse(format!("clusters/c{:03}/40-workloads/ns{:02}/w{i:05}.yaml", d / 4, d % 4)).unwrap(),
                FileContent { text, owner: format!("workload team/w{i} @c{d}"), origin: f.start(id) },
            );
        }
    }
    t
}
fn run(root: &std::path::Path, t: &Tree, label: &str, sync: bool) {
    let options = Options { force: false, faults: if sync { Faults::default() } else { Faults::at(Fault::Before(usize::MAX)) } };
    let s = Instant::now();
    let hold = Exclusive::take(root).unwrap();
    let delta = compare(t, &read(root).unwrap(), root).unwrap();
    let c = s.elapsed();
    let s = Instant::now();
    let sum = write(&hold, t, &delta, &options).unwrap();
    let w = s.elapsed();
    let k = |d: std::time::Duration| t.len() as f64 / d.as_secs_f64() / 1000.0;
    println!(
        "{label:28} sync={sync:5} compare {:6.1} ms ({:6.1}k/s)  write {:7.1} ms ({:6.1}k/s) +{} ~{} -{}",
        c.as_secs_f64() * 1e3,
        k(c),
        w.as_secs_f64() * 1e3,
        k(w),
        sum.created,
        sum.changed,
        sum.deleted
    );
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let base = std::path::PathBuf::from(&args[1]);
    let n: usize = args[2].parse().unwrap();
    let dirs: usize = args[3].parse().unwrap();
    let (a, b) = (tree(n, dirs, "a"), tree(n, dirs, "b"));
    let _ = rayon::current_num_threads();
    for round in 0..3 {
        for sync in [false, true] {
            let root = base.join(format!("out{round}{sync}"));
            let _ = std::fs::remove_dir_all(&root);
            run(&root, &a, "first", sync);
            run(&root, &a, "again", sync);
            run(&root, &b, "all changed", sync);
            let cp = base.join("copy");
            let s = Instant::now();
            std::process::Command::new("cp").arg("-r").arg(&root).arg(&cp).status().unwrap();
            let d = s.elapsed();
            println!("cp -r {:.1} ms ({:.1}k/s)", d.as_secs_f64() * 1e3, n as f64 / d.as_secs_f64() / 1e3);
            std::fs::remove_dir_all(&cp).unwrap();
            // raw strategies for changed files
            use rayon::prelude::*;
            let mut groups: std::collections::BTreeMap<&str, Vec<_>> = Default::default();
            for (p, c) in a.files() {
                groups.entry(p.folder()).or_default().push((p.below(&root), &c.text));
            }
            let groups: Vec<_> = groups.into_values().collect();
            let s = Instant::now();
            groups.par_iter().for_each(|g| g.iter().for_each(|(p, t)| std::fs::write(p, t).unwrap()));
            println!("   raw in place {:.1} ms ({:.1}k/s)", s.elapsed().as_secs_f64() * 1e3, n as f64 / s.elapsed().as_secs_f64() / 1e3);
            let s = Instant::now();
            groups.par_iter().for_each(|g| {
                g.iter().for_each(|(p, t)| {
                    let q = p.with_extension("new");
                    std::fs::write(&q, t).unwrap();
                    std::fs::rename(&q, p).unwrap();
                })
            });
            println!("   raw temp+rename {:.1} ms ({:.1}k/s)", s.elapsed().as_secs_f64() * 1e3, n as f64 / s.elapsed().as_secs_f64() / 1e3);
            std::fs::remove_dir_all(root.join("clusters")).unwrap();
            let _ = std::fs::remove_file(root.join("ringfence.lock"));
            let s = Instant::now();
            for g in &groups {
                std::fs::create_dir_all(g[0].0.parent().unwrap()).unwrap();
            }
            groups.par_iter().for_each(|g| g.iter().for_each(|(p, t)| std::fs::write(p, t).unwrap()));
            println!("   raw create {:.1} ms ({:.1}k/s)", s.elapsed().as_secs_f64() * 1e3, n as f64 / s.elapsed().as_secs_f64() / 1e3);
            run(&root, &a, "adopt", sync);
            run(&root, &Tree::new(), "all deleted", sync);
            std::fs::remove_dir_all(&root).unwrap();
        }
    }
}
