//! Training images on their way into the store, well-formed and otherwise.

use classifier_imaging::{Class, Random};
use serde_json::{Value, json};

use crate::pictures::{name_of, picture, png_of};
use crate::support::{FORM, Service, form, form_of, sample, until};

const PATH: &str = "/upload_training_data";

fn images(service: &Service) -> u64 {
    let (status, stats) = service.get("/dataset_stats");
    assert_eq!(status, 200);
    stats["uploads"]["images"].as_u64().expect("a number")
}

#[test]
fn images_are_stored_under_names_of_the_services_own() {
    let service = Service::start(&[]);
    let (glioma, pituitary) = (
        sample("glioma/glioma_1.jpg"),
        sample("pituitary/pituitary_1.jpg"),
    );
    let (status, reply) = service.upload("glioma_tumor", &[&glioma, &glioma]);
    assert_eq!(status, 200, "{reply}");
    assert_eq!(
        (&reply["uploaded_count"], &reply["duplicates"]),
        (&json!(1), &json!(1))
    );
    let folder = service.folder().join("uploads/Glioma");
    assert_eq!(reply["saved_path"], format!("{}/", folder.display()));
    let name = reply["names"][0].as_str().expect("a name");
    assert_eq!(std::fs::read(folder.join(name)).expect("a file"), glioma);

    // The label may come as a field, before or after the files.
    let field = b"--x\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nPituitary\r\n";
    let body = [&field[..], &form("files", &pituitary)].concat();
    let (status, reply) = service.post_to(PATH, FORM, &body);
    assert_eq!(
        (status, &reply["uploaded_count"]),
        (200, &json!(1)),
        "{reply}"
    );

    let (_, stats) = service.get("/dataset_stats");
    let uploads = &stats["uploads"]["classes"];
    assert_eq!(uploads["Glioma"]["images"], 1);
    assert_eq!(uploads["Glioma"]["mean_width"], 224.0);
    let brightness = uploads["Pituitary"]["mean_brightness"]
        .as_f64()
        .expect("a number");
    assert!((5.0..250.0).contains(&brightness), "{brightness}");
    assert_eq!(uploads["No_Tumor"]["mean_brightness"], Value::Null);
    assert!(stats["base"]["classes"]["Glioma"]["images"].as_u64() > Some(100));
}

#[test]
fn an_upload_with_one_bad_image_stores_none() {
    let service = Service::start(&["--max-upload-files", "3"]);
    let good = sample("glioma/glioma_1.jpg");
    let pixel = png_of(1, &[7]);
    for (why, files, status, detail) in [
        (
            "the guide's own",
            &[b"data1", &b"data2"[..]][..],
            400,
            "image 1: not a JPEG or PNG image",
        ),
        (
            "text named .jpg",
            &[&good, b"hello"],
            400,
            "image 2: not a JPEG or PNG image",
        ),
        (
            "cut off",
            &[&good[..good.len() / 2]],
            400,
            "image 1: cannot decode the JPEG image",
        ),
        (
            "one pixel",
            &[&pixel],
            400,
            "image 1: 1×1 pixels; at least 32 a side are needed",
        ),
        ("empty", &[&good, b""], 422, "the field \"files\" is empty"),
        (
            "too many",
            &[&good, &good, &good, &good],
            413,
            "more than 3 files in one upload",
        ),
    ] {
        let (found, reply) = service.upload("glioma", files);
        let said = reply["detail"].as_str().expect("a message");
        assert!(
            found == status && said.contains(detail),
            "{why}: {found} {said}"
        );
    }
    assert_eq!(images(&service), 0);
    // The same image cannot show two things.
    assert_eq!(service.upload("glioma", &[&good]).0, 200);
    let (status, reply) = service.upload("notumor", &[&good]);
    assert_eq!(status, 409);
    assert_eq!(reply["detail"], "image 1 was uploaded before as Glioma");
    assert_eq!(images(&service), 1);
}

#[test]
fn ten_thousand_files_in_one_upload_are_refused_and_forgotten() {
    let service = Service::start(&[]);
    let file = sample("glioma/glioma_1.jpg");
    let head = &file[..200];
    let (status, reply) = service.upload("glioma", &vec![head; 10_000]);
    assert_eq!(status, 413);
    assert_eq!(
        reply["detail"],
        "more than 100 files in one upload; send them in several"
    );
    assert_eq!(images(&service), 0);
}

#[test]
fn hostile_labels_are_422_and_name_the_four_classes() {
    let service = Service::start(&[]);
    let body = form("files", &sample("glioma/glioma_1.jpg"));
    for label in [
        "..%2F..%2Fetc",
        "../glioma",
        "glioma%00",
        "gl%D0%B8oma",
        "%F0%9F%98%80",
        "%",
        "",
        "tumor",
    ] {
        let (status, reply) = service.post_to(&format!("{PATH}?label={label}"), FORM, &body);
        let said = reply["detail"].as_str().expect("a message");
        assert_eq!(status, 422, "{label}: {said}");
        assert!(
            said.contains("expected Glioma, Meningioma, Pituitary or No_Tumor"),
            "{said}"
        );
    }
    // As fields, where nothing is encoded.
    for label in [
        "../glioma",
        "glioma\0",
        "glioma%00",
        "ｇｌｉｏｍａ",
        "gl\u{131}oma",
        "glioma\u{200b}",
    ] {
        let field =
            format!("--x\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n{label}\r\n");
        let (status, reply) = service.post_to(PATH, FORM, &[field.as_bytes(), &body].concat());
        let said = reply["detail"].as_str().expect("a message");
        assert_eq!(status, 422, "{label}: {said}");
        assert!(said.contains("expected Glioma"), "{said}");
    }
    let (status, reply) = service.post_to(PATH, FORM, &body);
    assert_eq!(status, 422);
    assert_eq!(
        reply["detail"],
        "the label is missing; give it as ?label= or as a field"
    );
    let (status, reply) =
        service.post_to(&format!("{PATH}?label=glioma"), FORM, &form("file", b"x"));
    assert_eq!(
        (status, &reply["detail"]),
        (422, &json!("the field \"files\" is missing"))
    );
    assert_eq!(images(&service), 0);
    let mut folders: Vec<String> = std::fs::read_dir(service.folder().join("uploads"))
        .expect("a folder")
        .map(|entry| name_of(&entry.expect("an entry").path()))
        .collect();
    folders.sort();
    assert_eq!(folders, ["Glioma", "Meningioma", "No_Tumor", "Pituitary"]);
}

#[test]
fn limits_of_a_file_a_request_and_the_store_hold() {
    let service = Service::start(&[
        "--max-body-bytes",
        "500000",
        "--max-upload-bytes",
        "900000",
        "--max-stored-mb",
        "1",
    ]);
    let mut random = Random::new(5);
    let mut noise = |side: usize| {
        let pixels: Vec<u8> = (0..side * side).map(|_| random.below(256) as u8).collect();
        png_of(side, &pixels)
    };
    let (large, halves) = (noise(800), [noise(650), noise(650), noise(650)]);
    let (status, reply) = service.upload("glioma", &[&large]);
    assert_eq!(status, 413);
    assert_eq!(
        reply["detail"],
        "image 1 is longer than the 500000 bytes that are accepted"
    );
    let (status, reply) = service.upload("glioma", &[&large, &halves[0]]);
    assert_eq!(status, 413);
    assert_eq!(
        reply["detail"],
        "the body is longer than the 900000 bytes that are accepted"
    );
    assert_eq!(service.upload("glioma", &[&halves[0], &halves[1]]).0, 200);
    let (status, reply) = service.upload("glioma", &[&halves[2]]);
    assert_eq!(
        (status, &reply["detail"]),
        (507, &json!("there is no space left to store this"))
    );
    assert_eq!(
        service.upload("glioma", &[&halves[0]]).0,
        200,
        "what is there needs no space"
    );
    assert_eq!(images(&service), 2);
}

#[test]
fn a_sender_that_leaves_midway_leaves_nothing() {
    let service = Service::start(&[]);
    let body = form_of(
        "files",
        &[
            &sample("glioma/glioma_1.jpg"),
            &sample("glioma/glioma_2.jpg"),
        ],
    );
    let mut connection = service.connect();
    let head = format!(
        "POST {PATH}?label=glioma HTTP/1.1\r\nHost: test\r\nContent-Type: {FORM}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head.as_bytes());
    connection.send(&body[..body.len() - 20]);
    drop(connection);
    // The broken request is counted once the service has noticed.
    until("the request has failed", || {
        let (_, metrics) = service.get("/metrics");
        let requests = metrics["requests"].as_array().expect("a list").clone();
        requests
            .into_iter()
            .find(|line| line["path"] == PATH && line["status"] == "400")
    });
    assert_eq!(images(&service), 0);
}

#[test]
fn a_store_that_goes_away_is_503_until_it_comes_back() {
    let service = Service::start(&[]);
    let (folder, away) = (
        service.folder().join("uploads"),
        service.folder().join("away"),
    );
    std::fs::rename(&folder, &away).expect("a move");
    let image = picture(Class::Glioma, 1);
    let (status, reply) = service.upload("glioma", &[&image]);
    assert_eq!(status, 503, "{reply}");
    let said = reply["detail"].as_str().expect("a message");
    assert!(said.contains("No such file or directory"), "{said}");
    std::fs::rename(&away, &folder).expect("a move");
    assert_eq!(service.upload("glioma", &[&image]).0, 200);
}
