"""The screens: start-up checklist, main, details, help, questions, stopping."""
