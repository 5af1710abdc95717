// Starts what the operators' pages need. Every page works without this.

import { startCharts } from "./charts.js";
import { startOperations } from "./operations.js";
import { startPage } from "./page.js";
import { startPalette } from "./palette.js";

// As wide as the sheet of change lists has it.
if (matchMedia("(width <= 64rem)").matches)
  for (const fold of document.querySelectorAll("[data-fold-narrow]")) fold.open = false;

startPage();
startPalette();
startCharts();
startOperations();
