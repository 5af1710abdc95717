// Starts what the operators' pages need. Every page works without this.

import { startCharts } from "./charts.js";
import { startOperations } from "./operations.js";
import { startPage } from "./page.js";
import { startPalette } from "./palette.js";

startPage();
startPalette();
startCharts();
startOperations();
