// A camera in a notebook: nothing runs before a click, and the picture goes to the kernel alone.
const LONGEST = 1280; // pixels; more would only make the message long

function render({ model, el }) {
  const button = (text, click) => {
    const b = document.createElement("button");
    b.className = "lm-Widget jupyter-widgets jupyter-button widget-button";
    b.textContent = text;
    b.onclick = click;
    return b;
  };
  const video = document.createElement("video");
  video.autoplay = video.muted = video.playsInline = true;
  video.style.cssText = "display:block; width:320px; max-width:100%; transform:scaleX(-1)";
  const said = document.createElement("span");
  const open = button("Camera", start);
  const shoot = button("Take picture", take);
  const close = button("Close camera", stop);
  el.append(open, shoot, close, said, video);
  let stream = null;
  show(false);

  function show(on) {
    open.style.display = on ? "none" : "";
    shoot.style.display = close.style.display = on ? "" : "none";
    video.style.display = on ? "block" : "none";
  }

  async function start() {
    said.textContent = "";
    try {
      if (!navigator.mediaDevices) throw new Error("it needs https or localhost");
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    } catch (error) {
      said.textContent = ` The browser gives no camera (${error.message || error.name}).`;
      return;
    }
    video.srcObject = stream;
    show(true);
  }

  function stop() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    show(false);
  }

  function take() {
    const { videoWidth: w, videoHeight: h } = video;
    if (!w) return; // the first frame is not there yet
    const scale = Math.min(1, LONGEST / Math.max(w, h));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(async (blob) => {
      model.set("value", new DataView(await blob.arrayBuffer()));
      model.save_changes();
      stop();
    }, "image/jpeg", 0.92);
  }

  return stop; // the light goes out with the view
}

export default { render };
