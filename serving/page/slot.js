// A place for one picture: from the camera, a file, a drop or the clipboard.

import { element } from "/page/words.js";

const SIDE_PX = 1280;
const JPEG_QUALITY = 0.92;

export class Slot {
  constructor(root, { changed = () => {}, failed = () => {}, camera = () => {} }) {
    this.root = root;
    this.live = root.hasAttribute("data-live");
    this.blob = null;
    this.stream = null;
    this.calls = { changed, failed, camera };
    this.build();
  }

  build() {
    const { title, say } = this.root.dataset;
    this.video = element("video", { muted: true, playsInline: true, hidden: true, ariaLabel: title + ": camera" });
    this.image = element("img", { alt: title + ": chosen picture", hidden: true });
    this.boxes = element("canvas", { ariaHidden: "true" });
    this.empty = element("p", {}, "Start the camera, choose a picture, or drop one here.");
    this.cameraButton = element("button", { type: "button" }, "Start camera");
    this.input = element("input", { type: "file", accept: "image/*", ariaLabel: title + ": choose a picture" });
    this.stage = element("div", { class: "stage" }, this.empty, this.video, this.image, this.boxes);
    this.root.append(
      element("div", { class: "head" }, element("h2", {}, title), element("span", {}, say)), this.stage,
      element("div", { class: "tools" }, this.cameraButton, element("label", { class: "file" }, "Choose a picture", this.input)));
    this.cameraButton.addEventListener("click", () => this.press());
    this.input.addEventListener("change", () => { if (this.input.files[0]) this.take(this.input.files[0]); this.input.value = ""; });
    for (const name of ["dragover", "dragleave", "drop"]) {
      this.root.addEventListener(name, (event) => {
        event.preventDefault();
        this.root.classList.toggle("over", name === "dragover");
        const file = name === "drop" && [...event.dataTransfer.files].find((one) => one.type.startsWith("image/"));
        if (file) this.take(file);
      });
    }
  }

  async press() {
    if (!this.stream) await this.start();
    else if (this.live) this.stop();
    else { this.take(await this.frame()); }
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.calls.failed("No camera here", "Browsers give a camera only to https pages and to this machine itself.");
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: SIDE_PX }, height: { ideal: 720 }, facingMode: "user" } });
    } catch (error) {
      this.calls.failed("The camera cannot be used", `${error.message || error.name}. Allow it in the browser, or choose a picture.`);
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.show(this.video);
    this.cameraButton.textContent = this.live ? "Stop camera" : "Take picture";
    this.calls.camera(true);
  }

  stop() {
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.cameraButton.textContent = "Start camera";
    this.show(this.blob && !this.live ? this.image : this.empty);
    this.calls.camera(false);
  }

  frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }

  async take(blob) {
    this.blob = blob;
    this.stop();
    if (this.image.src) URL.revokeObjectURL(this.image.src);
    this.image.src = URL.createObjectURL(blob);
    await this.image.decode().catch(() => {});  // the server says what is wrong with it
    this.show(this.image);
    this.calls.changed(blob);
  }

  show(what) {
    for (const one of [this.empty, this.video, this.image]) one.hidden = one !== what;
    this.mark(null);
  }

  mark(face) {
    const shown = this.video.hidden ? this.image : this.video;
    const width = shown.videoWidth || shown.naturalWidth || 0;
    this.boxes.width = width;
    this.boxes.height = shown.videoHeight || shown.naturalHeight || 0;
    if (!face || !width) return;
    const [x1, y1, x2, y2] = face.box;
    const pen = this.boxes.getContext("2d");
    pen.strokeStyle = "#8ea4ff";
    pen.lineWidth = Math.max(2, width / 160);
    pen.beginPath();
    pen.roundRect(x1, y1, x2 - x1, y2 - y1, (x2 - x1) / 12);
    pen.stroke();
  }
}
