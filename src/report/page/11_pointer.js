// How the pointer and the keys zoom all charts together.

const kLeastDrag = 5;  // pixels

function takePointer(chart) {
  const { layer, curves } = chart;
  const xOf = (pixel) => chart.dygraph.toDataXCoord(pixel);
  const pixelOf = (event) => event.clientX - layer.getBoundingClientRect().left;
  let start = null;
  const selection = make('span', { class: 'selection' });

  layer.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    start = pixelOf(event);
    layer.setPointerCapture(event.pointerId);
  });
  layer.addEventListener('pointermove', (event) => {
    const here = pixelOf(event);
    if (start !== null && Math.abs(here - start) >= kLeastDrag) {
      selection.style.left = `${Math.min(start, here)}px`;
      selection.style.width = `${Math.abs(here - start)}px`;
      layer.append(selection);
    } else {
      selection.remove();
    }
    curves.point(xOf(here));
  });
  layer.addEventListener('pointerup', (event) => {
    const here = pixelOf(event);
    const dragged = start !== null && Math.abs(here - start) >= kLeastDrag;
    selection.remove();
    if (dragged) curves.zoomTo(xOf(Math.min(start, here)), xOf(Math.max(start, here)));
    start = null;
  });
  // The browser took the pointer to scroll the page.
  layer.addEventListener('pointercancel', () => {
    start = null;
    selection.remove();
    curves.point(null);
  });
  layer.addEventListener('pointerleave', () => { if (start === null) curves.point(null); });
  layer.addEventListener('dblclick', () => curves.zoomOut());
  layer.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;  // the page scrolls
    event.preventDefault();
    curves.zoomBy(Math.exp(event.deltaY / 300), xOf(pixelOf(event)));
  }, { passive: false });
  layer.addEventListener('keydown', (event) => {
    const actions = {
      ArrowLeft: () => curves.moveBy(-0.2), ArrowRight: () => curves.moveBy(0.2),
      '+': () => curves.zoomBy(0.5), '=': () => curves.zoomBy(0.5), '-': () => curves.zoomBy(2),
      0: () => curves.zoomOut(), Escape: () => curves.zoomOut(),
    };
    if (actions[event.key] === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  });
}
