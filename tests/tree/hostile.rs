//! Links, special files, damaged records, and disks that refuse.

use std::fs;

use ringfence::tree::{self, Class, Error, Odd};

use crate::output::{Output, Texts};

const FILES: Texts = &[("clusters/osaka/a.yaml", "a\n"), ("clusters/osaka/b.yaml", "b\n")];

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::{Class, FILES, Odd, Output, Texts, fs};

    #[test]
    fn a_linked_folder_in_the_tree_is_never_followed() {
        let output = Output::with(FILES);
        let outside = output.root.with_file_name("outside");
        fs::rename(output.path("clusters/osaka"), &outside).unwrap();
        symlink(&outside, output.path("clusters/osaka")).unwrap();
        assert_eq!(output.delta(FILES).classes["clusters/osaka"], Class::Unsafe(Odd::Symlink));
        let new: Texts = &[("clusters/osaka/a.yaml", "changed\n"), ("clusters/osaka/c.yaml", "c\n")];
        for files in [FILES, new, &[]] {
            assert!(output.force(files).is_err());
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(outside.join("a.yaml")).unwrap(), "a\n");
    }

    #[test]
    fn a_linked_file_is_neither_read_nor_written_nor_deleted() {
        let output = Output::with(FILES);
        let outside = output.root.with_file_name("outside.yaml");
        fs::rename(output.path("clusters/osaka/a.yaml"), &outside).unwrap();
        symlink(&outside, output.path("clusters/osaka/a.yaml")).unwrap();
        for files in [FILES, &FILES[1..]] {
            assert_eq!(output.delta(files).classes["clusters/osaka/a.yaml"], Class::Unsafe(Odd::Symlink));
            assert!(output.force(files).is_err());
        }
        assert_eq!(fs::read_to_string(&outside).unwrap(), "a\n");
    }

    #[test]
    fn a_dangling_link_where_a_new_file_goes_is_not_written_through() {
        let output = Output::with(FILES);
        let outside = output.root.with_file_name("outside.yaml");
        symlink(&outside, output.path("clusters/osaka/c.yaml")).unwrap();
        let new: Texts = &[FILES[0], FILES[1], ("clusters/osaka/c.yaml", "c\n")];
        assert!(output.force(new).is_err());
        assert!(!outside.exists());
    }

    #[test]
    fn a_link_that_is_in_nobodys_way_is_foreign() {
        let output = Output::with(FILES);
        symlink("/", output.path("clusters/slash")).unwrap();
        assert_eq!(output.classes(FILES), [("clusters/slash".to_owned(), Class::Foreign)]);
        output.generate(FILES).unwrap();
    }

    #[test]
    fn the_root_itself_may_be_a_link() {
        let output = Output::with(FILES);
        let real = output.root.with_file_name("real");
        fs::rename(&output.root, &real).unwrap();
        symlink(&real, &output.root).unwrap();
        let new: Texts = &[("clusters/osaka/a.yaml", "changed\n")];
        output.generate(new).unwrap();
        assert_eq!(output.snapshot(), Output::fresh(new));
        assert!(fs::symlink_metadata(&output.root).unwrap().is_symlink());
    }

    #[test]
    fn a_socket_in_the_tree_is_not_opened() {
        let output = Output::with(FILES);
        fs::remove_file(output.path("clusters/osaka/a.yaml")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(output.path("clusters/osaka/a.yaml")).unwrap();
        assert_eq!(output.delta(FILES).classes["clusters/osaka/a.yaml"], Class::Unsafe(Odd::Special));
        assert!(output.force(FILES).is_err());
    }

    #[test]
    fn a_linked_lock_is_an_error() {
        let output = Output::with(FILES);
        let outside = output.root.with_file_name("lock");
        fs::rename(output.path("ringfence.lock"), &outside).unwrap();
        symlink(&outside, output.path("ringfence.lock")).unwrap();
        let error = output.generate(FILES).unwrap_err().to_string();
        assert!(error.ends_with("ringfence.lock` is a symbolic link, not a file"), "{error}");
    }

    #[test]
    fn a_staged_name_that_is_taken_by_a_link_is_not_written_through() {
        let output = Output::with(FILES);
        let outside = output.root.with_file_name("outside.yaml");
        symlink(&outside, output.path("clusters/osaka/a.yaml.ringfence-new")).unwrap();
        let new: Texts = &[("clusters/osaka/a.yaml", "changed\n"), FILES[1]];
        let error = output.generate(new).unwrap_err().to_string();
        assert!(error.contains("a.yaml.ringfence-new"), "{error}");
        assert!(!outside.exists());
        assert_eq!(output.get("clusters/osaka/a.yaml"), "a\n");
        fs::remove_file(output.path("clusters/osaka/a.yaml.ringfence-new")).unwrap();
        output.generate(new).unwrap();
        assert_eq!(output.snapshot(), Output::fresh(new));
    }
}

#[test]
fn a_folder_of_someones_where_a_file_goes_is_in_the_way() {
    let output = Output::with(FILES);
    output.put("c.yaml/mine", "mine\n");
    fs::create_dir(output.path("d.yaml")).unwrap();
    let new: Texts = &[FILES[0], FILES[1], ("c.yaml", "c\n"), ("d.yaml", "d\n")];
    assert_eq!(output.classes(new), ["c.yaml", "d.yaml"].map(|path| (path.to_owned(), Class::ForeignInTheWay)));
    assert!(output.force(new).is_err());
    assert_eq!(output.get("c.yaml/mine"), "mine\n");
}

#[test]
fn a_folder_of_ours_with_something_of_someones_in_it_does_not_become_a_file() {
    let output = Output::with(FILES);
    output.put("clusters/osaka/mine", "mine\n");
    let new: Texts = &[("clusters/osaka", "a file now\n")];
    assert_eq!(output.delta(new).classes["clusters/osaka"], Class::ForeignInTheWay);
    assert!(output.force(new).is_err());
    assert_eq!(output.get("clusters/osaka/mine"), "mine\n");
    assert_eq!(output.get("clusters/osaka/a.yaml"), "a\n");
}

#[test]
fn a_file_of_someones_where_a_folder_goes_is_in_the_way_once() {
    let output = Output::new();
    output.put("clusters", "mine\n");
    let classes = output.classes(FILES);
    assert_eq!(classes[0], ("clusters".to_owned(), Class::ForeignInTheWay));
    assert_eq!(output.delta(FILES).refusals(true).count(), 1);
    assert!(output.force(FILES).is_err());
}

#[test]
fn a_file_of_ours_that_became_a_folder_is_foreign_and_leaves_the_lock() {
    let output = Output::with(FILES);
    fs::remove_file(output.path("clusters/osaka/b.yaml")).unwrap();
    output.put("clusters/osaka/b.yaml/mine", "mine\n");
    assert_eq!(output.delta(FILES).classes["clusters/osaka/b.yaml"], Class::ForeignInTheWay);
    let new: Texts = &[FILES[0]];
    assert_eq!(output.classes(new), [("clusters/osaka/b.yaml/".to_owned(), Class::Foreign)]);
    output.generate(new).unwrap();
    assert_eq!(output.get("clusters/osaka/b.yaml/mine"), "mine\n");
}

fn damaged(output: &Output) -> (String, String) {
    let earlier = output.snapshot();
    let error = output.force(FILES).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(output.snapshot(), earlier, "nothing is written on the word of a damaged record");
    (error.to_string(), error.help())
}

#[test]
fn a_lock_with_conflict_markers_is_an_error_with_its_line_and_the_next_step() {
    let output = Output::with(FILES);
    let lock = output.get("ringfence.lock");
    let ours = lock.lines().nth(1).unwrap();
    let conflict = format!("<<<<<<< HEAD\n{ours}\n=======\n{}\n>>>>>>> topic\n", ours.replace('0', "1"));
    output.put("ringfence.lock", lock.replace(&format!("{ours}\n"), &conflict));
    let (message, help) = damaged(&output);
    assert!(message.ends_with("ringfence.lock` is damaged at line 2: a merge conflict was left in it"), "{message}");
    assert!(help.starts_with("Restore the file from version control"), "{help}");
    output.put("ringfence.lock", lock);
    assert!(output.delta(FILES).is_up_to_date());
}

#[test]
fn a_record_of_a_newer_version_is_not_called_damaged() {
    for (name, version) in [("ringfence.lock", "v2"), ("ringfence.lock", "v10"), ("ringfence.pending", "v2")] {
        let output = Output::with(FILES);
        output.put(name, format!("# {name} {version}: in another form\n{{}}\n"));
        let earlier = output.snapshot();
        let error = output.force(FILES).unwrap_err();
        assert!(matches!(error, Error::Newer { .. }), "{error}");
        assert_eq!(output.snapshot(), earlier, "nothing is written on the word of a record that is not understood");
        let (message, help) = (error.to_string(), error.help());
        let end = format!(
            "{name}` was written by a newer Ringfence: its first line begins with `# {name} {version}`, and this one knows `# {name} v1`"
        );
        assert!(message.ends_with(&end), "{message}");
        assert!(help.starts_with("Update Ringfence"), "{help}");
    }
}

#[test]
fn a_second_kustomization_beside_ours_stands_in_the_way() {
    let files: Texts = &[("clusters/one/kustomization.yaml", "a\n"), ("clusters/two/a.yaml", "b\n")];
    for name in ["kustomization.yml", "Kustomization"] {
        let output = Output::with(files);
        output.put(&format!("clusters/one/{name}"), "mine\n");
        // Of a folder that has none of ours it is as foreign as any other file.
        output.put(&format!("clusters/two/{name}"), "mine\n");
        let classes = output.delta(files).classes;
        assert_eq!(classes[&format!("clusters/one/{name}")], Class::ForeignInTheWay);
        assert_eq!(classes[&format!("clusters/two/{name}")], Class::Foreign);
        output.force(files).unwrap_err();
        assert_eq!(output.get(&format!("clusters/one/{name}")), "mine\n");
    }
}

#[test]
fn a_lock_that_is_empty_cut_off_or_binary_is_an_error() {
    let output = Output::with(FILES);
    let lock = fs::read(output.path("ringfence.lock")).unwrap();
    for length in 0..lock.len() {
        output.put("ringfence.lock", &lock[..length]);
        damaged(&output);
    }
    output.put("ringfence.lock", [&lock[..], b"\xff\n"].concat());
    assert!(damaged(&output).0.ends_with("line 5: the line is not UTF-8"));
}

#[test]
fn a_lock_cannot_name_files_outside_the_output() {
    let output = Output::with(FILES);
    let victim = output.root.with_file_name("victim");
    fs::write(&victim, "a\n").unwrap();
    let lock = output.get("ringfence.lock");
    for path in ["../victim", victim.to_str().unwrap(), "clusters/../../victim"] {
        output.put("ringfence.lock", lock.replacen("  clusters/osaka/a.yaml", &format!("  {path}"), 1));
        damaged(&output);
    }
    assert!(victim.exists());
}

#[test]
fn a_damaged_journal_is_an_error_and_nothing_is_guessed() {
    let output = Output::with(FILES);
    output.put("ringfence.pending", "# ringfence.pending v1: \n-  -  a\n");
    let (message, help) = damaged(&output);
    assert!(message.ends_with("ringfence.pending` is damaged at line 2: it is cut off: the last line is not `# end`"), "{message}");
    assert!(help.contains("remove this file"), "{help}");
}

#[test]
fn a_lock_or_a_journal_that_is_a_folder_is_an_error_that_says_to_remove_it() {
    for (name, next) in [("ringfence.lock", "restore the file from version control"), ("ringfence.pending", "no run of Ringfence leaves")] {
        let output = Output::with(FILES);
        let _ = fs::remove_file(output.path(name));
        output.put(&format!("{name}/x.md"), "mine\n");
        let error = output.generate(FILES).unwrap_err();
        assert!(error.to_string().ends_with(&format!("{name}` is a folder, not a file")), "{error}");
        assert!(error.help().contains("Remove it") && error.help().contains(next), "{}", error.help());
    }
}

#[test]
fn an_output_that_is_a_file_is_an_error_that_names_it() {
    let output = Output::new();
    fs::write(&output.root, "mine\n").unwrap();
    let error = output.generate(FILES).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == output.root), "{error}");
    assert!(tree::compare(&crate::output::tree(FILES), &tree::Recorded::default(), &output.root).is_err());
    assert_eq!(fs::read_to_string(&output.root).unwrap(), "mine\n");
}

#[cfg(unix)]
#[test]
#[allow(clippy::print_stderr, reason = "a test that cannot test says so")]
fn a_folder_without_permission_is_an_error_that_names_the_file_and_the_next_run_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    let output = Output::with(FILES);
    let folder = output.path("clusters/osaka");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        eprintln!("NOT TESTED: this user writes where permissions forbid it (root)");
        fs::remove_file(folder.join("probe")).unwrap();
        return;
    }
    let new: Texts = &[("clusters/osaka/a.yaml", "changed\n"), FILES[1]];
    let error = output.generate(new).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("a.yaml.ringfence-new")), "{error}");
    assert!(error.help().contains("writable"), "{}", error.help());
    assert_eq!(output.get("clusters/osaka/a.yaml"), "a\n");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    output.generate(new).unwrap();
    assert_eq!(output.snapshot(), Output::fresh(new));
}
