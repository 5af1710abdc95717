"""Results as files for other programs: tables as CSV and as a workbook, a document as Markdown."""
