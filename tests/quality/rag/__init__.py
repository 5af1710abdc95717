"""Questions over made documents, in English and Chinese, and how many of them are answered right."""
