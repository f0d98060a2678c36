(function () {
  // Before the first paint, so that the page never flashes in the other theme. Storage may be closed to files.
  try { var kept = localStorage.getItem("levelfield-theme"); if (kept) document.documentElement.dataset.theme = kept; } catch (_) { /* the system's theme holds */ }
})();
