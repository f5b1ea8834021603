//! Applications of the real world, written down as their authors run them: `tests/system/applications/NAME` is a project each. Whoever writes one
//! looks at the description of the inventory alone, so that what the program refuses there is a defect of one of the two.

use crate::judge::{builds, judge};
use crate::program::{Project, repository};

#[test]
fn real_applications_check_clean_generate_and_build() {
    let judge = judge();
    let mut applications = 0;
    for folder in std::fs::read_dir(repository().join("tests/system/applications")).unwrap() {
        let project = Project::of(&folder.unwrap().path().join("inventory"));
        project.run(["check", "--deny-warnings"]).expect(0);
        project.generate();
        project.run(["generate", "--check"]).expect(0);
        if let Some(judge) = &judge {
            builds(judge, &project);
        }
        applications += 1;
    }
    assert!(applications >= 5, "only {applications} applications were found");
}
