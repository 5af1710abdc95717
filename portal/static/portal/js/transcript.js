// A transcript leads its recording: the time of a segment plays it, and the segment that is heard is marked.
// Without this the times open the recording at their place.

export function startTranscript() {
  const player = () => document.querySelector("audio.player");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-seek]");
    if (!link || !player() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    player().currentTime = Number(link.dataset.seek);
    player().play().catch(() => {}); // the browser says itself why it does not play
  });
  // These events do not bubble, but are caught on their way down.
  document.addEventListener(
    "timeupdate",
    (event) => {
      if (event.target !== player()) return;
      const links = [...document.querySelectorAll("[data-transcript] [data-seek]")];
      const now = links.findLast((link) => Number(link.dataset.seek) <= event.target.currentTime + 0.05);
      for (const link of links) {
        if (link === now) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    true,
  );
}
